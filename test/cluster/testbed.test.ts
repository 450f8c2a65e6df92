import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { down, type Endpoints, status, up } from "../testbed/index.ts";

// A bed of its own beside the one that other tests use; they share the built programs.
const name = "bed-test";
const environment = { ...process.env, SEAWORTHY_TESTBED_NAME: name };
const state = join(process.env.SEAWORTHY_TESTBED_STATE ?? "/var/tmp/seaworthy", name);
const pieces = ["kubernetes", "registry", "busybox-image"];
const run = promisify(execFile);

let bed: Endpoints;

jest.setTimeout(120_000);

beforeAll(async () => {
  await down({ environment });
  bed = await up(pieces, { environment });
}, 30 * 60_000);

afterAll(() => down({ environment }));

async function kubectl(...args: string[]): Promise<string> {
  const { stdout } = await run(join(bed.bin, "kubectl"), ["--kubeconfig", bed.kubeconfig, ...args]);
  return stdout;
}

async function runPod(pod: string, script: string): Promise<string> {
  const command = ["--", "sh", "-c", `${script} && echo done && sleep 600`];
  await kubectl("run", pod, `--image=${bed.busyboxImage}`, "--restart=Never", ...command);
  await kubectl("wait", `pod/${pod}`, "--for=condition=Ready", "--timeout=60s");
  for (let tries = 0; tries < 100; tries++) {
    const log = await kubectl("logs", pod);
    if (log.includes("done")) return log;
    await sleep(100);
  }
  throw new Error(`the script of ${pod} did not succeed: ${await kubectl("logs", pod)}`);
}

async function pidOf(server: string): Promise<number> {
  const found = (await status({ environment })).find((one) => one.name === server);
  if (found?.pid === undefined) throw new Error(`${server} has no process`);
  return found.pid;
}

describe("a bed that is up", () => {
  it("runs a pod that finds a service by its name and reaches it", async () => {
    await runPod("web", "mkdir /tmp/www && echo hello > /tmp/www/index.html && httpd -h /tmp/www");
    await kubectl("expose", "pod", "web", "--port=80");
    const log = await runPod(
      "caller",
      "timeout 5 wget -q -O- http://web.default.svc.cluster.local",
    );
    expect(log).toContain("hello");
  });

  it("is left as it is by another up, within 2 seconds", async () => {
    const before = await status({ environment });
    const started = Date.now();
    await up(pieces, { environment });
    expect(Date.now() - started).toBeLessThan(2000);
    expect(await status({ environment })).toEqual(before);
  });

  it("waits for no disk: the kernel answers its servers' calls to sync", async () => {
    const filtered = await Promise.all(
      ["registry", "etcd", "containerd"].map(async (server) =>
        readFileSync(`/proc/${await pidOf(server)}/status`, "utf8"),
      ),
    );
    for (const text of filtered) expect(text).toMatch(/^Seccomp:\t2$/m);
  });

  it.each(["kube-scheduler", "containerd", "etcd", "node"])(
    "tells that %s is down, and heals",
    async (server) => {
      process.kill(await pidOf(server), "SIGKILL");
      await sleep(100);
      const fallen = (await status({ environment })).find((one) => one.name === server);
      expect(fallen).toMatchObject({ state: "down", lastWords: expect.any(String) });

      await up(pieces, { environment });
      expect((await status({ environment })).filter((one) => one.state !== "ready")).toEqual([]);
      await runPod(`after-${server}`, "nslookup kubernetes.default.svc.cluster.local");
    },
  );

  it("goes on from wherever an up was killed", async () => {
    for (const delay of [300, 900, 2500]) {
      await down({ environment });
      const main = join(import.meta.dirname, "..", "testbed", "main.ts");
      const child = spawn(process.execPath, [main, "up", ...pieces], { env: environment });
      await sleep(delay);
      child.kill("SIGKILL");
      await once(child, "close");
      bed = await up(pieces, { environment });
      expect(processes()).toHaveLength((await status({ environment })).length);
    }
    await runPod("after-kills", "true");
  });

  it("leaves nothing behind when taken down", async () => {
    await runPod("left", "true");
    const subnet = bed.nodeAddress.split(".")[2];
    await down({ environment });
    expect(processes()).toEqual([]);
    expect(existsSync(state)).toBe(false);
    expect(existsSync(`${state}.lock`)).toBe(false);
    expect(existsSync(`/sys/class/net/seaworthy-${subnet}`)).toBe(false);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(state);
    expect(controlGroups().filter((group) => group.endsWith(`seaworthy-${name}`))).toEqual([]);
    for (const folder of ["/var/log/containers", "/var/log/pods", "/run/containerd"]) {
      if (existsSync(folder)) expect(readdirSync(folder).join()).not.toContain("after-kills");
    }
  });
});

/** Servers of this bed, found without any of its own records: leaders of sessions with its mark. */
function processes(): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const [, , , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return session === pid && readFileSync(`/proc/${pid}/environ`, "utf8").includes(state);
    } catch {
      return false;
    }
  });
}

function controlGroups(): string[] {
  const root = "/sys/fs/cgroup";
  const first = readdirSync(root).map((entry) => join(root, entry));
  const below = first.flatMap((folder) => {
    try {
      return readdirSync(folder).map((entry) => join(folder, entry));
    } catch {
      return [];
    }
  });
  return [...first, ...below];
}
