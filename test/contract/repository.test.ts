import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { root } from "../../scripts/action-manifest.ts";
import { completeLock } from "../../scripts/complete-lock.ts";
import { textOf } from "./action-folder.ts";
import { runTool } from "./tool.ts";

/** The project's files: those in git, and those that are on their way there. */
const files = runTool("git", ["ls-files", "--cached", "--others", "--exclude-standard"])
  .stdout.split("\n")
  .filter((file) => file !== "" && globSync(file, { cwd: root }).length > 0);
const written = files.filter((file) => !file.startsWith("dist/"));

describe("package.json", () => {
  const description = JSON.parse(textOf("package.json"));

  it("is that of a private project under the MIT licence", () => {
    expect(description).toMatchObject({ name: "seaworthy", private: true, license: "MIT" });
    expect(textOf("LICENSE")).toMatch(/^MIT License/);
  });

  it.each(["dependencies", "devDependencies", "optionalDependencies"])("%s are exact", (kind) => {
    const loose = Object.entries<string>(description[kind] ?? {}).filter(
      ([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
    );
    expect(loose).toEqual([]);
  });

  it("names scripts whose files exist", () => {
    const scripts = Object.values<string>(description.scripts);
    const sources = scripts.flatMap((line) => /^node (\S+)/.exec(line)?.[1] ?? []);
    expect(sources.filter((file) => !files.includes(file))).toEqual([]);
  });
});

describe("package-lock.json", () => {
  const lock = JSON.parse(textOf("package-lock.json"));
  const packages = Object.entries<Record<string, unknown>>(lock.packages).filter(
    ([path]) => path !== "",
  );

  it("names no host: each machine uses the registry it is set to", () => {
    expect(packages.filter(([, entry]) => "resolved" in entry).map(([path]) => path)).toEqual([]);
  });

  it("pins by its content every package that a supported machine can get", () => {
    const foreign = ({ os = ["linux"], cpu = ["x64"], libc = ["glibc"] }: Platform) =>
      !os.includes("linux") || !libc.includes("glibc") || !/^(x64|arm64)$/.test(`${cpu}`);
    const unpinned = packages.filter(([, entry]) => !String(entry.integrity).startsWith("sha512-"));
    expect(unpinned.filter(([, entry]) => !foreign(entry)).map(([path]) => path)).toEqual([]);
  });

  it("has the packages for other platforms too, or `npm ci` would refuse it", () => {
    expect(completeLock(lock)).toEqual(lock);
    const again = completeLock(without(lock, "-linux-x64-musl"));
    expect(Object.keys(again.packages)).toEqual(Object.keys(lock.packages));
  });
});

interface Platform {
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}

function without(lock: { packages: Record<string, object> }, part: string) {
  const kept = Object.entries(lock.packages).filter(([path]) => !path.includes(part));
  return { ...lock, packages: Object.fromEntries(kept) };
}

describe("names", () => {
  it("say what is inside", () => {
    const empty = /(^|[/_-])(utils?|helpers?|commons?|misc)([/.]|$)|(^|\/)managers?([/.]|$)/i;
    // Charts keep to Helm's own name for named templates.
    const named = written.filter((file) => !file.endsWith("/templates/_helpers.tpl"));
    expect(named.filter((file) => empty.test(file))).toEqual([]);
  });
});

describe("the project's text", () => {
  const texts = written
    .filter((file) => !/\.(png|ico|gz|tgz|woff2?)$/.test(file))
    .map((file): [string, string] => [file, readFileSync(join(root, file), "utf8")]);

  // Put together here, so that this file does not hold them itself.
  const folders = ["work", "root"].map((name) => `/${name}/`);
  const hosts = Object.entries(process.env)
    .filter(([name]) => /^(npm_config_registry|pip_index_url|goproxy)$/i.test(name))
    .flatMap(([, value]) => [...(value ?? "").matchAll(/https?:\/\/(?:[^@/\s]*@)?([^/:\s,|]+)/g)])
    .flatMap(([, host]) => host ?? [])
    .filter(
      (host) => !/^(registry\.npmjs\.org|pypi\.org|proxy\.golang\.org|127\.0\.0\.1)$/.test(host),
    );

  it.each([...folders, ...hosts])(
    "does not name a place of the machine it was written on",
    (place) => {
      expect(texts.filter(([, text]) => text.includes(place)).map(([file]) => file)).toEqual([]);
    },
  );

  it("marks nothing as left to do", () => {
    const mark = new RegExp(
      `\\b(${["TO", "FIX"].map((word) => `${word}${word === "TO" ? "DO" : "ME"}`).join("|")})\\b`,
    );
    expect(texts.filter(([, text]) => mark.test(text)).map(([file]) => file)).toEqual([]);
  });
});

describe("the face of a noun", () => {
  const nouns = globSync("shared/*/index.ts", { cwd: root }).sort();

  it.each(nouns)("%s only passes on what others define", (file) => {
    const code = textOf(file).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    expect(code.replace(/export\s+(type\s+)?\{[^}]*\}\s+from\s+"[^"]+";/g, "").trim()).toBe("");
  });

  it.each(nouns)("%s: its functions tell what they do", (file) => {
    const folder = file.slice(0, -"index.ts".length);
    const exported = [...textOf(file).matchAll(/\{([^}]*)\}\s+from\s+"\.\/([^"]+)"/g)];
    const silent = exported.flatMap(([, names = "", from = ""]) => {
      const source = textOf(folder, from);
      return names
        .split(",")
        .map((name) => name.trim().split(" as ")[0] ?? "")
        .filter((name) => /^[a-z]/.test(name) && !name.startsWith("type "))
        .filter((name) => new RegExp(`^export (async )?function\\*? ${name}\\b`, "m").test(source))
        .filter(
          (name) => !new RegExp(`\\*/\\nexport (async )?function\\*? ${name}\\b`).test(source),
        );
    });
    expect(silent).toEqual([]);
  });
});
