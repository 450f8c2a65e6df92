import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { makeAuthority } from "../../bundle/smoke-test/certificates.ts";
import { Runner } from "../../runner/index.ts";
import { openBed } from "../../testbed/bed.ts";
import { readConfiguration } from "../../testbed/configuration.ts";
import { type Endpoints, up } from "../../testbed/index.ts";
import { run } from "../../testbed/run.ts";
import { buildPush, cachedSteps, ownPrefix, passed } from "./harness.ts";

jest.setTimeout(180_000);

let bed: Endpoints;
let registry: ReachableRegistry;
const namespace = ownPrefix("builders");

beforeAll(async () => {
  bed = await up([
    ...["kubernetes", "registry", "buildkit", "buildkit-image", "busybox-image"],
    "crane",
  ]);
  registry = await ReachableRegistry.start();
  await run(join(bed.bin, "crane"), ["copy", bed.busyboxImage, `${registry.host}/busybox:1`], {
    env: { ...process.env, SSL_CERT_FILE: registry.ca },
  });
  await kubectl("create", "namespace", namespace);
}, 30 * 60_000);

afterAll(async () => {
  await kubectl("delete", "namespace", namespace, "--wait=false");
  await registry?.[Symbol.asyncDispose]();
});

function kubectl(...args: string[]): Promise<string> {
  return run(join(bed.bin, "kubectl"), args, {
    env: { ...process.env, KUBECONFIG: bed.kubeconfig },
  });
}

const environment = () => ({ KUBECONFIG: bed.kubeconfig, NODE_EXTRA_CA_CERTS: registry.ca });
const files = () => ({
  Dockerfile: `FROM ${registry.host}/busybox:1\nRUN echo ${namespace} > /made\nCOPY last /last\n`,
  last: "one",
});
const inputs = (options: Readonly<Record<string, string>> = {}) => ({
  registry: `${registry.host}/${namespace}`,
  driver: "kubernetes",
  "driver-opts": Object.entries({ namespace, image: bed.buildkitImage, ...options })
    .map(([name, value]) => `${name}=${value}`)
    .join("\n"),
  "buildkitd-config-inline": `[registry."${registry.host}"]\n  ca = ["${registry.ca}"]\n`,
});

describe("a builder in a cluster", () => {
  it("builds in its pods, and stays with its cache for the next run", async () => {
    await using runner = await Runner.create(files());
    // Two nodes: each platform where it is native. One machine stands for both here.
    const nodes = "[{platforms: linux/amd64}, {platforms: linux/arm64}]";
    const own = { ...inputs(), name: "web", "builder-nodes": nodes };
    const one = passed(await buildPush(bed, runner, own, environment()));
    expect(one.stdout).toMatch(/^Starting the kubernetes builder seaworthy-\w+ of 2 nodes/m);
    const deployments = await kubectl("get", "deployments", "-n", namespace, "-o", "name");
    expect(deployments.trim().split("\n")).toHaveLength(2);
    await runner.write("last", "two");
    const two = passed(await buildPush(bed, runner, own, environment()));
    expect(cachedSteps(two)).toEqual([1, 2]);
  });

  it.each([
    ["its image is not there", { image: "127.0.0.1:1/no/such:1" }, "cannot be pulled"],
    [
      "its namespace is not there",
      { namespace: "no-such-namespace" },
      "no namespace no-such-namespace",
    ],
  ])("fails with the cause in seconds where %s, and leaves nothing", async (_, options, cause) => {
    await using runner = await Runner.create(files());
    const given = { ...inputs(options), builder: "broken", name: "broken" };
    const step = await buildPush(bed, runner, given, environment());
    expect(step.exitCode).toBe(1);
    expect(step.outputs.cause).toContain(cause);
    expect(step.milliseconds).toBeLessThan(45_000);
    expect(await kubectl("get", "deployments", "-n", namespace, "-o", "name")).not.toContain(
      "broken",
    );
  });

  it("fails with the right that is missing", async () => {
    await using runner = await Runner.create(files());
    const token = (await kubectl("create", "token", "default", "-n", namespace)).trim();
    const config = await kubectl("config", "view", "--raw", "--minify", "-o", "json");
    const { clusters, contexts, ...rest } = JSON.parse(config);
    const users = [{ name: contexts[0].context.user, user: { token } }];
    const file = await runner.write(
      "kubeconfig",
      JSON.stringify({ ...rest, clusters, contexts, users }),
    );
    const given = { ...inputs(), builder: "forbidden", name: "forbidden" };
    const step = await buildPush(bed, runner, given, { ...environment(), KUBECONFIG: file });
    expect(step.exitCode).toBe(1);
    expect(step.outputs.cause).toContain(`in the namespace "${namespace}"`);
  });
});

/** A registry at an address that pods reach too: the bed's own is at their loopback. */
class ReachableRegistry implements AsyncDisposable {
  readonly host: string;
  /** A file with the certificate of its authority. */
  readonly ca: string;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(host: string, folder: string, child: ChildProcess) {
    this.host = host;
    this.ca = join(folder, "ca.pem");
    this.#folder = folder;
    this.#process = child;
  }

  static async start(): Promise<ReachableRegistry> {
    const bed = await openBed(readConfiguration(process.env));
    const folder = await mkdtemp(join(tmpdir(), "registry-"));
    const host = `${bed.addresses.host}:${await freePort(bed.addresses.host)}`;
    const settings = {
      version: "0.1",
      log: { level: "error" },
      storage: { filesystem: { rootdirectory: folder } },
      http: { addr: host, tls: { certificate: join(folder, "cert"), key: join(folder, "key") } },
    };
    const authority = makeAuthority();
    const own = authority.sign(`IP:${bed.addresses.host}`);
    await writeFile(join(folder, "ca.pem"), authority.cert);
    await writeFile(join(folder, "cert"), own.cert);
    await writeFile(join(folder, "key"), own.key);
    const file = join(folder, "settings.json");
    await writeFile(file, JSON.stringify(settings));
    const program = bed.debian("docker-registry", "usr/bin/docker-registry");
    const child = spawn(program, ["serve", file], {
      stdio: "ignore",
      env: { ...process.env, OTEL_TRACES_EXPORTER: "none" },
    });
    // Whether it answers, not with what: our fetch does not know its authority.
    while (!(await reachable(host))) await delay(50);
    return new ReachableRegistry(host, folder, child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, "exit");
    this.#process.kill();
    await ended;
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function reachable(host: string): Promise<boolean> {
  const { hostname, port } = new URL(`https://${host}`);
  return new Promise((done) => {
    const socket = connect({ host: hostname, port: Number(port) });
    socket.once("error", () => done(false));
    socket.once("connect", () => {
      socket.destroy();
      done(true);
    });
  });
}

async function freePort(host: string): Promise<number> {
  const probe = createServer();
  await new Promise<void>((ready) => probe.listen(0, host, ready));
  const { port } = probe.address() as { port: number };
  await new Promise((closed) => probe.close(closed));
  return port;
}
