import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { contextDigest } from "../../../shared/content-key/context-digest.ts";
import { contentKeyOf, type KeySubject, type Outside } from "../../../shared/content-key/index.ts";
import { readDockerfile } from "../../../shared/dockerfile/index.ts";
import { type Endpoints, up } from "../../testbed/index.ts";

jest.setTimeout(120_000);

const run = promisify(execFile);
const { signal } = new AbortController();

let bed: Endpoints;
let place: string;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  bed = await up(["buildkit", "registry", "busybox-image"]);
  place = mkdtempSync(join(tmpdir(), "seaworthy-content-key-"));
  const PATH = `${bed.bin}:${process.env.PATH}`;
  environment = { ...process.env, DOCKER_CONFIG: bed.dockerConfig, PATH };
}, 30 * 60_000);

afterAll(() => rmSync(place, { recursive: true, force: true }));

const outside = (): Outside => ({
  resolve: async (image) => `sha256:${createHash("sha256").update(image).digest("hex")}`,
  triggers: async () => [],
  builder: "one",
  signal,
});

let number = 0;

/** A folder with these files. */
function folderWith(files: Readonly<Record<string, string>>): string {
  number += 1;
  const folder = join(place, String(number));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

const subjectOf = (context: string, more: Partial<KeySubject> = {}): KeySubject => ({
  context,
  dockerfile: join(context, "Dockerfile"),
  buildArgs: {},
  secrets: [],
  platforms: ["linux/amd64"],
  ...more,
});

const keyOf = async (folder: string) => (await contentKeyOf(subjectOf(folder), outside())).key;

/** Names and contents of what a build gives, without its cache. */
async function built(folder: string, args: readonly string[] = []): Promise<string> {
  const out = join(place, `out-${number}-${Math.random()}`);
  const output = ["--output", `type=local,dest=${out}`];
  const all = ["build", "-q", "--no-cache", "--builder", "seaworthy", ...args, ...output, folder];
  await run("buildx", all, { env: environment });
  const { stdout } = await run(
    "sh",
    ["-c", "find . ! -type d -printf '%p %m %l\\n' -type f -exec sha256sum {} + | sort"],
    {
      cwd: out,
    },
  );
  return stdout;
}

const FILES = {
  "src/a.ts": "a",
  "src/deep/b.ts": "b",
  "lib/c.ts": "c",
  "package.json": "{}",
  "package-lock.json": "{}",
  "README.md": "text",
  ".git/index": "1",
};

/** What is done to a folder, and whether it shows depends on what the Dockerfile copies. */
const CHANGES: Readonly<Record<string, (root: string) => void>> = {
  source: (root) => writeFileSync(join(root, "src/a.ts"), "changed"),
  "a deep source": (root) => writeFileSync(join(root, "src/deep/b.ts"), "changed"),
  library: (root) => appendFileSync(join(root, "lib/c.ts"), "more"),
  lock: (root) => writeFileSync(join(root, "package-lock.json"), "{ }"),
  "a file that matches now": (root) => writeFileSync(join(root, "package-x.json"), "{}"),
  text: (root) => writeFileSync(join(root, "README.md"), "other"),
  git: (root) => writeFileSync(join(root, ".git/index"), "2"),
  "a new name": (root) => renameSync(join(root, "src/a.ts"), join(root, "src/z.ts")),
  "a file that is gone": (root) => unlinkSync(join(root, "src/deep/b.ts")),
};

describe("what a Dockerfile copies of its context", () => {
  it.each([
    ["COPY src package*.json /app/"],
    ["COPY ./src/deep/../ lib/c.ts /app/"],
    ["COPY lib/[a-c].ts s?c/a.* /app/"],
    ["COPY --exclude=*.md . /app/"],
    ["ADD package.json /app/"],
  ])("changes the key whenever it changes the image: %s", async (line) => {
    const before = folderWith({ ...FILES, Dockerfile: `FROM scratch\n${line}\n` });
    const [key, image] = [await keyOf(before), await built(before)];
    const stale: string[] = [];
    const spared: string[] = [];
    for (const [name, change] of Object.entries(CHANGES)) {
      const folder = folderWith({ ...FILES, Dockerfile: `FROM scratch\n${line}\n` });
      change(folder);
      const isSameKey = (await keyOf(folder)) === key;
      if (isSameKey) spared.push(name);
      // A source that is gone is no build at all, and so no image to reuse.
      const after = await built(folder).catch(() => "none");
      if (isSameKey && after !== image) stale.push(name);
    }
    expect(stale).toEqual([]);
    if (!line.includes(" . ")) expect(spared).toContain("git");
  });

  it("follows a link on the way to a source, as BuildKit does", async () => {
    const folder = folderWith({ "real/a": "one", Dockerfile: "FROM scratch\nCOPY link /app/\n" });
    symlinkSync("real", join(folder, "link"));
    const [key, image] = [await keyOf(folder), await built(folder)];
    writeFileSync(join(folder, "real/a"), "two");
    expect(await built(folder)).not.toBe(image);
    expect(await keyOf(folder)).not.toBe(key);
  });
});

describe("the ignore file", () => {
  const everything = "FROM scratch\nCOPY . /\n";

  it.each<[string, Readonly<Record<string, string>>, string]>([
    [
      "of the Dockerfile has precedence",
      { ".dockerignore": "a", "Dockerfile.dockerignore": "b" },
      "b",
    ],
    [
      "of the Dockerfile has precedence even when it is empty",
      { ".dockerignore": "a", "Dockerfile.dockerignore": "" },
      "",
    ],
    ["may be a folder, and is none then", { ".dockerignore/x": "a" }, ""],
    ["may be a link", { "ignore/file": "a" }, "a"],
  ])("%s", async (name, files, hidden) => {
    const folder = folderWith({ ...files, a: "a", b: "b", Dockerfile: everything });
    if (name === "may be a link") symlinkSync("/ignore/file", join(folder, ".dockerignore"));
    const image = await built(folder);
    for (const path of ["a", "b"]) {
      const key = await keyOf(folder);
      writeFileSync(join(folder, path), "changed");
      const isSame = (await keyOf(folder)) === key;
      expect([path, isSame]).toEqual([path, path === hidden]);
      expect(image.includes(`./${path} `)).toBe(path !== hidden);
    }
  });

  it("that only BuildKit understands hides nothing from the key", async () => {
    const folder = folderWith({ ".dockerignore": "[[:alpha:]]", a: "a", Dockerfile: everything });
    const key = await keyOf(folder);
    writeFileSync(join(folder, "a"), "changed");
    expect(await keyOf(folder)).not.toBe(key);
  });
});

describe("names that are not UTF-8", () => {
  it("count byte by byte, as BuildKit copies them", async () => {
    const digests = new Set<string>();
    for (const byte of [0xfe, 0xff]) {
      const folder = folderWith({ Dockerfile: "FROM scratch\nCOPY . /\n" });
      const name = Buffer.concat([Buffer.from(`${folder}/bad`), Buffer.from([byte])]);
      writeFileSync(name, "text");
      const { digest, files } = await contextDigest(folder, undefined, signal);
      expect(files).toBe(2);
      digests.add(digest);
      expect(Buffer.from(await built(folder), "utf8").toString()).toContain("bad");
    }
    expect(digests.size).toBe(2);
  });
});

describe("the images that a Dockerfile needs", () => {
  const busybox = () => bed.busyboxImage;

  it.each<[string, (image: string) => string, readonly string[]]>([
    ["FROM", (image) => `FROM ${image}`, []],
    [
      "an argument",
      (image) => `ARG BASE=none\nARG TAG\nFROM \${BASE:-x}`.replace("none", image),
      [],
    ],
    ["a stage nobody needs", (image) => `FROM missing.invalid/x AS unused\nFROM ${image}`, []],
    ["COPY --from", (image) => `FROM scratch\nCOPY --from=${image} /bin/busybox /x`, []],
    ["a mount", (image) => `FROM ${image}\nRUN --mount=type=bind,from=${image},target=/x true`, []],
    [
      "a platform",
      (image) =>
        `FROM --platform=$BUILDPLATFORM ${image} AS a\nFROM scratch\nCOPY --from=a /bin/busybox /$TARGETARCH`,
      [],
    ],
  ])("are those that BuildKit says it used: %s", async (_, dockerfile) => {
    const folder = folderWith({ Dockerfile: `${dockerfile(busybox())}\n` });
    const metadata = join(place, `metadata-${number}.json`);
    await built(folder, ["--metadata-file", metadata, "--provenance=mode=max"]);
    const provenance = JSON.parse(readFileSync(metadata, "utf8"))["buildx.build.provenance"];
    const { materials = provenance.buildDefinition?.resolvedDependencies } = provenance;
    const used = materials
      .map(({ uri }: { uri: string }) => uri)
      .filter((uri: string) => uri.startsWith("pkg:docker/"))
      .map((uri: string) =>
        decodeURIComponent(uri).replace("pkg:docker/", "").replace("@", ":").replace(/\?.*/, ""),
      );
    const found = readDockerfile(readFileSync(join(folder, "Dockerfile"), "utf8"), {
      platforms: ["linux/amd64"],
    });
    expect(found.images.map(({ name }) => name)).toEqual([...new Set(used)]);
  });
});
