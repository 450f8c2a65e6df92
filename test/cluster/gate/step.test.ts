import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { bundleOf, failureOf, Runner, runStep, type Step, startStep } from "../../runner/index.ts";
import { type Endpoints, up } from "../../testbed/index.ts";
import { tagsOf } from "./registry-tags.ts";
import { type MadeUp, vulnerabilityDatabase } from "./vulnerabilities.ts";

const source = bundleOf("build-push");

jest.setTimeout(60_000);

let bed: Endpoints;
const prefix = `gate-${randomBytes(4).toString("hex")}`;

beforeAll(async () => {
  bed = await up(["registry", "buildkit", "busybox-image", "cosign", "grype", "vulnerabilities"]);
}, 30 * 60_000);

interface Given {
  readonly runner: Runner;
  readonly inputs: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Programs of the bed that are on the PATH beside buildx. */
  readonly programs?: readonly string[];
  /** Programs that are on the PATH in place of real ones, as shell scripts. */
  readonly scripts?: Readonly<Record<string, string>>;
}

async function settingOf({ runner, inputs, environment, programs = [], scripts = {} }: Given) {
  const folder = join(runner.folder, "bin");
  await mkdir(folder, { recursive: true });
  for (const name of ["buildx", ...programs]) {
    const from = name === "grype" ? bed.scanners : bed.bin;
    await symlink(join(from, name), join(folder, name)).catch(() => {});
  }
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, name), 0o755);
  }
  return {
    runner,
    inputs: { registry: `${bed.registry}/${prefix}`, tags: "v1", ...inputs },
    environment: {
      DOCKER_CONFIG: bed.dockerConfig,
      BUILDX_BUILDER: "seaworthy",
      GRYPE_DB_AUTO_UPDATE: "false",
      PATH: `${folder}:${process.env.PATH}`,
      ...environment,
    },
  };
}

const step = async (given: Given): Promise<Step> => runStep(source, await settingOf(given));
const tags = (name: string) => tagsOf(bed.registry, `${prefix}/${name}`);
const withoutKey = async (name: string) =>
  (await tags(name)).filter((tag) => !tag.startsWith("key-"));
const referenceOf = (run: Step, name: string) =>
  JSON.parse(run.outputs.images ?? "{}")[name]?.reference as string;

/** All that a step tells, but for what only the runner reads. */
const told = ({ stdout, stderr, summary, outputs }: Step) =>
  [stdout.replaceAll(/^::add-mask::.*$/gm, ""), stderr, summary, JSON.stringify(outputs)].join();

const plain = { Dockerfile: "FROM scratch\nCOPY hello /hello\n", hello: "hello" };

describe("secrets in what was built", () => {
  it("keep every service from its tags", async () => {
    const token = "npm-s3cr3t-Value-12345";
    await using runner = await Runner.create({
      "leaky/Dockerfile": `FROM ${bed.registry}/testbed/busybox:1\nRUN --mount=type=secret,id=npm cp /run/secrets/npm /.npmrc\nRUN rm /.npmrc\n`,
      "good/Dockerfile": plain.Dockerfile,
      "good/hello": "hello",
    });
    const run = await step({
      runner,
      inputs: {
        services:
          "- {name: leaky, context: leaky, secrets: {npm: NPM}}\n- {name: good, context: good}",
      },
      environment: { NPM: token },
    });
    expect(run.exitCode).toBe(1);
    expect(failureOf(run)).toMatch(/The image holds a secret/);
    // The layer that removes the file again leaves the one below as it is.
    expect(run.outputs.cause).toMatch(
      /the secret npm \(as it is\) in \/\.npmrc in layer sha256:\w{12}, made by RUN .*cp/,
    );
    expect(told(run)).not.toContain(token);
    expect(await tags("leaky")).toEqual([]);
    expect(await tags("good")).toEqual([]);
  });

  it("are found where a checkout keeps the job's token", async () => {
    const token = "ghs_aB3dE5gH7jK9mN1pQ3sTuV5wX7yZ9aB1cD3e";
    const basic = Buffer.from(`x-access-token:${token}`).toString("base64");
    await using runner = await Runner.create({
      Dockerfile: "FROM scratch\nCOPY . /app\n",
      ".git/config": `[http "https://github.com/"]\n\textraheader = AUTHORIZATION: basic ${basic}\n`,
    });
    const run = await step({
      runner,
      inputs: { name: "checkout" },
      environment: { GITHUB_TOKEN: token },
    });
    expect(run.exitCode).toBe(1);
    expect(run.outputs.cause).toMatch(
      /GITHUB_TOKEN of the environment \(in base64.*\) in \/app\/\.git\/config/,
    );
    expect(await tags("checkout")).toEqual([]);
  });
});

const findings: readonly MadeUp[] = [
  {
    id: "CVE-2026-0001",
    severity: "critical",
    title: "left-pad pads *everything* | `rm`",
    ecosystem: "npm",
    package: "left-pad",
    versions: "< 2.0.0",
    fixed: "2.0.0",
  },
  {
    id: "CVE-2026-0002",
    severity: "high",
    title: "is-even is odd",
    ecosystem: "npm",
    package: "is-even",
    versions: "< 9.0.0",
    fixed: "",
  },
  {
    id: "CVE-2026-0003",
    severity: "low",
    title: "nothing much",
    ecosystem: "npm",
    package: "left-pad",
    versions: "< 3.0.0",
    fixed: "",
  },
];

function npmPackage(name: string, version: string): Record<string, string> {
  return {
    [`node_modules/${name}/package.json`]: JSON.stringify({ name, version, license: "MIT" }),
  };
}

describe("a scan", () => {
  let database: string;
  const programs = ["grype"];

  beforeAll(async () => {
    database = await vulnerabilityDatabase(bed.scanners, findings);
  });

  afterAll(() => rm(dirname(database), { recursive: true, force: true }));

  const files = {
    Dockerfile: "FROM scratch\nCOPY node_modules /app/node_modules\n",
    ...npmPackage("left-pad", "1.3.0"),
    ...npmPackage("is-even", "1.0.0"),
  };
  const scanned = (given: Omit<Given, "environment">) =>
    step({ programs, ...given, environment: { GRYPE_DB_CACHE_DIR: database } });

  it("keeps an image with vulnerabilities from its tags, and names them", async () => {
    await using runner = await Runner.create(files);
    const platforms = "linux/amd64 linux/arm64";
    const run = await scanned({ runner, inputs: { name: "holes", platforms } });
    expect(run.exitCode).toBe(1);
    expect(failureOf(run)).toMatch(/The image has 2 vulnerabilities that are high or worse/);
    expect(run.outputs.cause).toMatch(
      /by grype: CVE-2026-0001 critical in left-pad 1\.3\.0, fixed in 2\.0\.0; CVE-2026-0002 high in is-even 1\.0\.0, no fix yet\./,
    );
    expect(run.outputs.cause).not.toMatch(/0003/);
    expect(await tags("holes")).toEqual([]);
  });

  it("lets through what is borne for a time, and says what is not needed any longer", async () => {
    const list = [
      "- {id: CVE-2026-0001, until: 2026-12-24, reason: not reachable}",
      "- id: CVE-2026-0002",
      "  package: is-even",
      "  service: borne",
      "  until: 2026-12-24",
      "  reason: we only ask of even numbers",
      "- {id: CVE-2020-9999, until: 2026-12-24, reason: forgotten}",
    ].join("\n");
    const soon = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
    await using runner = await Runner.create({
      ...files,
      "ignore.yaml": list.replaceAll("2026-12-24", soon),
    });
    const run = await scanned({ runner, inputs: { name: "borne", "scan-ignore": "ignore.yaml" } });
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toMatch(
      /no vulnerability that is high or worse \(grype, database of .*; 1 below, 2 ignored\)/,
    );
    expect(run.stdout).toMatch(/scan-ignore, line 7: the entry for CVE-2020-9999 ignores nothing/);
    expect(await withoutKey("borne")).toEqual(["v1"]);

    // Nothing changed but what is borne: the image of the run before must pass anew.
    const again = await scanned({ runner, inputs: { name: "borne" } });
    expect(again.exitCode).toBe(1);
    expect(again.stdout).not.toMatch(/FROM scratch/);
    expect(failureOf(again)).toMatch(/2 vulnerabilities/);
  });

  it("knows an entry that has expired", async () => {
    await using runner = await Runner.create(files);
    const run = await scanned({
      runner,
      inputs: {
        name: "expired",
        "scan-only-fixed": "true",
        "scan-ignore": "- {id: cve-2026-0001, until: 2026-01-31, reason: was to be mended}",
      },
    });
    expect(failureOf(run)).toMatch(/The image has a vulnerability that is high or worse/);
    expect(run.outputs.cause).toMatch(/The entry for cve-2026-0001 .* ended on 2026-01-31/);
    expect(await tags("expired")).toEqual([]);
  });

  it("that has no database is no pass", async () => {
    await using runner = await Runner.create(plain);
    const run = await step({
      runner,
      programs,
      inputs: { name: "blind" },
      environment: { GRYPE_DB_CACHE_DIR: join(runner.folder, "nothing") },
    });
    expect(run.exitCode).toBe(1);
    expect(failureOf(run)).toMatch(/The image could not be scanned/);
    expect(run.outputs.cause).toMatch(/grype came to no result: .*database does not exist/);
    expect(await tags("blind")).toEqual([]);
  });

  it("by a scanner that fails is no pass", async () => {
    await using runner = await Runner.create(plain);
    const run = await step({
      runner,
      scripts: { grype: "echo 'ERROR out of tea' >&2; exit 3" },
      inputs: { name: "fails" },
    });
    expect(run.exitCode).toBe(1);
    expect(run.outputs.cause).toMatch(/grype came to no result: out of tea/);
    expect(await tags("fails")).toEqual([]);
  });

  it("without a scanner is said to be missing, or is an error before anything is built", async () => {
    await using runner = await Runner.create(plain);
    const run = await step({ runner, inputs: { name: "unscanned" } });
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toMatch(/not scanned: neither trivy nor grype is on the PATH/);
    const required = await step({ runner, inputs: { name: "required", scan: "required" } });
    expect(required.exitCode).toBe(1);
    expect(failureOf(required)).toMatch(/The scanner is not there/);
    expect(required.stdout).not.toMatch(/COPY/);
  });

  it("is ended when the job is cancelled, and no tag moves", async () => {
    await using runner = await Runner.create(plain);
    const setting = await settingOf({
      runner,
      scripts: { grype: "echo scanning >&2; exec sleep 60" },
      inputs: { name: "cancelled" },
    });
    const running = await startStep(source, setting);
    await running.logged(/to be scanned by grype/);
    running.child.kill("SIGINT");
    const run = await running.finished;
    expect(run.outputs.verdict).toBe("cancelled");
    expect(await tags("cancelled")).toEqual([]);
  });

  it("list that is wrong is refused before anything is built, on its line", async () => {
    await using runner = await Runner.create({
      ...plain,
      "ignore.yaml": "- {id: X, until: 2026-02-31, reason: r}\n- {id: Y, until: 2026-12-01}\n",
    });
    const run = await step({ runner, inputs: { name: "listed", "scan-ignore": "ignore.yaml" } });
    expect(run.exitCode).toBe(1);
    expect(run.outputs.cause).toMatch(
      /ignore\.yaml, line 1: until is no day .*\nignore\.yaml, line 2: reason is missing/,
    );
    expect(run.commands[0]?.properties).toMatchObject({ file: "ignore.yaml", line: "1" });
    expect(run.stdout).not.toMatch(/COPY/);
  });
});

describe("a bill of materials", () => {
  it("is made by the generator that is named, and searched for secrets like all else", async () => {
    const generator = `${bed.registry}/${prefix}/generator`;
    const statement = {
      _type: "https://in-toto.io/Statement/v0.1",
      predicateType: "https://spdx.dev/Document",
      predicate: { spdxVersion: "SPDX-2.3", comment: "s3cr3t-Value-12345" },
    };
    await using runner = await Runner.create({
      "generator/Dockerfile": `FROM ${bed.registry}/testbed/busybox:1\nCOPY . /\nENTRYPOINT ["/bin/sh", "/scan"]\n`,
      "generator/scan": 'cp /statement "$BUILDKIT_SCAN_DESTINATION/sbom.spdx.json"\n',
      "generator/statement": JSON.stringify(statement),
      "app/Dockerfile": plain.Dockerfile,
      "app/hello": "hello",
    });
    const made = await step({
      runner,
      inputs: { name: "generator", context: "generator" },
      environment: { GITHUB_TOKEN: "ghs_aB3dE5gH7jK9mN1pQ3sTuV5wX7yZ9aB1cD3e" },
    });
    expect(made.exitCode).toBe(0);
    expect(made.stdout).toMatch(/no secret in it \(1 layer, 1 MB searched; 1 of base images not\)/);
    const inputs = {
      name: "app",
      context: "app",
      sbom: "true",
      "sbom-generator": `${generator}:v1`,
    };
    const run = await step({ runner, inputs });
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toMatch(/no secret in its papers/);
    const leaky = await step({
      runner,
      inputs: { ...inputs, name: "leaky-papers" },
      environment: { GITHUB_TOKEN: "s3cr3t-Value-12345" },
    });
    expect(leaky.outputs.cause).toMatch(/in the bill of materials at predicate\.comment/);
    expect(await tags("leaky-papers")).toEqual([]);
  });
});

describe("a signature", () => {
  let key: string;
  let publicKey: string;
  const programs = ["cosign"];
  const password = "pass-phrase-1";

  let keys: Runner;

  afterAll(() => keys[Symbol.asyncDispose]());

  beforeAll(async () => {
    keys = await Runner.create();
    const runner = keys;
    const environment = { ...process.env, COSIGN_PASSWORD: password };
    const cosign = join(bed.bin, "cosign");
    execFileSync(cosign, ["generate-key-pair"], {
      cwd: runner.folder,
      env: environment,
      stdio: "ignore",
    });
    key = await readFile(join(runner.folder, "cosign.key"), "utf8");
    publicKey = join(runner.folder, "cosign.pub");
  });

  const byKey = () => ({
    sign: "key",
    "cosign-key": key,
    "cosign-password": password,
    "tlog-upload": "false",
  });

  function isSigned(reference: string): boolean {
    try {
      const args = ["verify", "--key", publicKey, "--insecure-ignore-tlog=true", reference];
      execFileSync(join(bed.bin, "cosign"), args, { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  }

  it("is made before the tags move, verified, and found again by the next run", async () => {
    await using runner = await Runner.create(plain);
    const mirror = `${bed.registry}/${prefix}/mirror`;
    const services = `- {name: signed, mirrors: ["${mirror}"]}`;
    const run = await step({ runner, programs, inputs: { services, ...byKey() } });
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toMatch(
      /signed, and the signature verified against the public key; no public log was asked/,
    );
    expect(told(run)).not.toContain(password);
    const reference = referenceOf(run, "signed");
    expect(isSigned(reference)).toBe(true);
    expect(isSigned(`${mirror}@${reference.split("@")[1]}`)).toBe(true);
    const before = await tags("signed");

    const again = await step({ runner, programs, inputs: { services, ...byKey() } });
    expect(again.exitCode).toBe(0);
    expect(again.stdout).toMatch(/signature verified against the public key/);
    expect(again.stdout).not.toMatch(/signed, and/);
    expect(referenceOf(again, "signed")).toBe(reference);
    expect(await tags("signed")).toEqual(before);
  });

  it("is made for an image of an earlier run that has none", async () => {
    await using runner = await Runner.create({ ...plain, hello: "later" });
    const first = await step({ runner, inputs: { name: "later" } });
    expect(isSigned(referenceOf(first, "later"))).toBe(false);
    const run = await step({ runner, programs, inputs: { name: "later", ...byKey() } });
    expect(run.exitCode).toBe(0);
    expect(isSigned(referenceOf(run, "later"))).toBe(true);
  });

  it("is made for none where one did not pass", async () => {
    await using runner = await Runner.create({
      "a/Dockerfile": plain.Dockerfile,
      "a/hello": "a",
      "b/Dockerfile": "FROM scratch\nCOPY token /token\n",
      "b/token": "GH-s3cr3t-Value-12345",
    });
    const run = await step({
      runner,
      programs,
      inputs: { services: "- {name: a, context: a}\n- {name: b, context: b}", ...byKey() },
      environment: { GITHUB_TOKEN: "GH-s3cr3t-Value-12345" },
    });
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toMatch(/a: not signed: b did not pass/);
    expect(await tags("a")).toEqual([]);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ["a wrong password", { "cosign-password": "wrong-one" }, /the password does not open the key/],
    ["no key", { "cosign-key": "" }, /cosign-key is missing or empty/],
    [
      "the identity of a job that may not prove it",
      { sign: "keyless", "cosign-key": "" },
      /ACTIONS_ID_TOKEN_REQUEST_URL is not set/,
    ],
  ])("with %s is refused before anything is built", async (_, wrong, cause) => {
    await using runner = await Runner.create(plain);
    const run = await step({
      runner,
      programs,
      inputs: { name: "unsigned", ...byKey(), ...wrong },
    });
    expect(run.exitCode).toBe(1);
    expect(run.outputs.cause).toMatch(cause);
    expect(run.stdout).not.toMatch(/COPY/);
    expect(await tags("unsigned")).toEqual([]);
  });

  it("without cosign is refused before anything is built", async () => {
    await using runner = await Runner.create(plain);
    const run = await step({ runner, inputs: { name: "unsigned", ...byKey() } });
    expect(failureOf(run)).toMatch(/cosign is not there/);
  });
});
