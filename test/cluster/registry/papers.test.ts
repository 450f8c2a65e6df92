import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { inspectImage, Registry, reproduciblePapers } from "../../../shared/registry/index.ts";
import { Secrets } from "../../../shared/secrets/index.ts";
import { systemClock } from "../../../shared/world/index.ts";
import { type Endpoints, up } from "../../testbed/index.ts";

jest.setTimeout(120_000);

const run = promisify(execFile);
const OLD = ",oci-artifact=false";
const { signal } = new AbortController();
const path = `papers/${randomUUID().slice(0, 8)}`;
let bed: Endpoints;
let registry: Registry;
let folder: string;

beforeAll(async () => {
  bed = await up(["registry", "buildkit", "buildx", "busybox-image"]);
  const secrets = new Secrets();
  registry = new Registry({
    host: bed.registry,
    credentials: undefined,
    secrets,
    clock: systemClock,
    environment: {},
  });
  folder = await mkdtemp(join(tmpdir(), "papers-"));
  await makeContext();
}, 30 * 60_000);

afterAll(async () => {
  registry[Symbol.dispose]();
  await rm(folder, { recursive: true, force: true });
});

describe("two builds of the same sources, from scratch, seconds apart", () => {
  it.each<[string, readonly string[], string]>([
    ["no papers", ["--provenance=false"], ""],
    ["provenance of the smaller kind", ["--attest=type=provenance,mode=min"], ""],
    ["provenance of the larger kind", ["--attest=type=provenance,mode=max"], ""],
    ["SLSA 0.2, stored as an image", ["--attest=type=provenance,mode=max,version=v0.2"], OLD],
    ["a bill of materials", ["--attest=type=provenance,mode=max", "--attest=SCANNER"], ""],
  ])("have one digest, with %s", async (name, flags, output) => {
    const slug = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
    const first = await build(slug, flags, output);
    // Times in provenance and layers count in seconds at the coarsest.
    await systemClock.sleep(1_100);
    const second = await build(slug, flags, output);
    if (!flags.includes("--provenance=false")) expect(second).not.toBe(first);
    const papers = await Promise.all([rewritten(slug, first), rewritten(slug, second)]);
    expect(papers[0]).toEqual(papers[1]);
    expect(papers[0].notes).toEqual([]);
    await expectWhole(slug, papers[0].digest, first);
  });
});

it("papers rewritten already are left alone", async () => {
  const digest = await build("twice", ["--attest=type=provenance,mode=max"], "");
  const once = await rewritten("twice", digest);
  expect(await rewritten("twice", once.digest)).toEqual(once);
});

/** A Dockerfile whose layers hold the time of the build, and a scanner that names each of its bills anew. */
async function makeContext(): Promise<void> {
  await mkdir(join(folder, "app"));
  await writeFile(
    join(folder, "app", "Dockerfile"),
    `FROM ${bed.busyboxImage} AS tools\nRUN date > /built && rm /built && echo tool > /tool\nFROM ${bed.busyboxImage}\nARG VERSION\nRUN echo $VERSION > /version\nCOPY --from=tools /tool /tool\nCOPY app.txt /\n`,
  );
  await writeFile(join(folder, "app", "app.txt"), "app");
  await mkdir(join(folder, "scanner"));
  await writeFile(
    join(folder, "scanner", "Dockerfile"),
    `FROM ${bed.busyboxImage}\nCOPY scan.sh /\nENTRYPOINT ["/bin/sh", "/scan.sh"]\n`,
  );
  await writeFile(join(folder, "scanner", "scan.sh"), SCANNER);
  await buildx(["--provenance=false", "--push", `--tag=${scanner()}`, join(folder, "scanner")]);
}

/** Source: BuildKit, docs/attestations/sbom-protocol.md. */
const SCANNER = `id=$(cat /proc/sys/kernel/random/uuid)
name=$(basename "$BUILDKIT_SCAN_SOURCE")
cat > "$BUILDKIT_SCAN_DESTINATION/$name.spdx.json" <<END
{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document",
"predicate":{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","name":"$name",
"documentNamespace":"https://example.org/$name-$id",
"creationInfo":{"created":"$(date -u +%Y-%m-%dT%H:%M:%SZ)","creators":["Tool: scan"]},"packages":[]}}
END
`;

function scanner(): string {
  return `${bed.registry}/${path}/scanner:1`;
}

async function build(name: string, flags: readonly string[], output: string): Promise<string> {
  const metadata = join(folder, `${randomUUID()}.json`);
  const attest = flags.map((flag) => flag.replace("SCANNER", `type=sbom,generator=${scanner()}`));
  await buildx([
    ...["--no-cache", "--build-arg=VERSION=1", ...attest, `--metadata-file=${metadata}`],
    `--output=type=image,name=${bed.registry}/${path}/${name},push=true,push-by-digest=true,rewrite-timestamp=true,oci-mediatypes=true${output}`,
    join(folder, "app"),
  ]);
  const { "containerimage.digest": digest } = JSON.parse(await readFile(metadata, "utf8"));
  return String(digest);
}

async function buildx(args: readonly string[]): Promise<void> {
  const SOURCE_DATE_EPOCH = "1700000000";
  const env = { ...process.env, DOCKER_CONFIG: bed.dockerConfig, SOURCE_DATE_EPOCH };
  await run(join(bed.bin, "buildx"), ["build", "--builder=seaworthy", ...args], { env });
}

function rewritten(name: string, digest: string) {
  const repository = { host: bed.registry, path: `${path}/${name}` };
  return reproduciblePapers({ repository, digest }, registry, signal);
}

/** All parts are there, and the image that nodes pull is still the one that was built. */
async function expectWhole(name: string, digest: string, built: string): Promise<void> {
  const repository = { host: bed.registry, path: `${path}/${name}` };
  const [made, original] = await Promise.all(
    [digest, built].map((reference) =>
      inspectImage({ repository, reference, platforms: ["linux/amd64"] }, registry, signal),
    ),
  );
  expect(made?.images).toEqual(original?.images);
  expect(made?.attestations).toEqual(original?.attestations);
}
