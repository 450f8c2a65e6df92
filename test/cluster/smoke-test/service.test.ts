import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { bundleOf, type Running, runStep, type Step, startStep } from "../../runner/index.ts";
import { type Endpoints, up } from "../../testbed/index.ts";

const main = bundleOf("smoke-test");

type Texts = Readonly<Record<string, string>>;

function run(inputs: Texts, environment: Texts = {}): Promise<Step> {
  return runStep(main, { inputs, environment });
}

function start(inputs: Texts): Promise<Running> {
  return startStep(main, { inputs });
}

const execute = promisify(execFile);
const namespace = `smoke-test-${randomBytes(3).toString("hex")}`;

let bed: Endpoints;

jest.setTimeout(60_000);

beforeAll(async () => {
  bed = await up(["kubernetes", "busybox-image"]);
  await kubectl("create", "namespace", namespace);
}, 30 * 60_000);

afterAll(() => kubectl("delete", "namespace", namespace, "--wait=false"));

async function kubectl(...args: string[]): Promise<string> {
  const env = { ...process.env, PATH: `${bed.bin}:${process.env.PATH}` };
  const all = ["--kubeconfig", bed.kubeconfig, "--namespace", namespace, ...args];
  return (await execute("kubectl", all, { env })).stdout;
}

/** A pod whose web server answers every path that has a file: `/`, `/health`. */
async function startPod(name: string, app: string): Promise<void> {
  const files = `echo '{"pod":"${name}","ready":true}' > /tmp/health; echo ${name} > /tmp/index.html`;
  const script = `${files}; exec httpd -f -p 8080 -h /tmp`;
  const image = ["--image", bed.busyboxImage, "--labels", `app=${app}`, "--restart=Never"];
  await kubectl("run", name, ...image, "--command", "--", "sh", "-c", script);
}

async function createService(name: string, app: string, targetPort = 8080): Promise<void> {
  const flags = [`--tcp=80:${targetPort}`];
  await kubectl("create", "service", "clusterip", name, ...flags);
  await kubectl("set", "selector", "service", name, `app=${app}`);
}

function inputs(service: string): Record<string, string> {
  return { service, namespace, kubeconfig: bed.kubeconfig, timeout: "40s", interval: "200ms" };
}

describe("a Service with pods", () => {
  beforeAll(async () => {
    await startPod("pair-a", "pair");
    await startPod("pair-b", "pair");
    await createService("pair", "pair");
    await createService("deaf", "pair", 9090);
    await kubectl("wait", "pods", "-l", "app=pair", "--for=condition=Ready", "--timeout=50s");
  });

  it.each(["pair", "pair:80", `${namespace}/pair:80-8080`])("is reached as %s", async (service) => {
    const checks = "[{}, {path: /health, json: {$.ready: true}}]";
    const result = await run({ ...inputs(service), checks });
    expect(result).toMatchObject({ exitCode: 0, outputs: { verdict: "passed" } });
    const report = JSON.parse(result.outputs.report ?? "");
    expect(report).toMatchObject({ passed: true, pods: ["pair-a"] });
    expect(result.summary).toContain("load balancing, Ingress and DNS were not checked");
    expect(result.milliseconds).toBeLessThan(10_000);
  });

  it("fails with the kubelet's words where no one listens", async () => {
    const { outputs } = await run({ ...inputs("deaf"), timeout: "2s" });
    expect(outputs.cause).toMatch(/the port-forward says: .*9090.*refused/);
  });

  it("fails at once for a port that the Service does not have", async () => {
    const { outputs, milliseconds } = await run(inputs("pair:81"));
    expect(outputs.cause).toContain("Service pair has no TCP port 81");
    expect(milliseconds).toBeLessThan(12_000);
  });

  it("goes on with another pod when its pod goes away", async () => {
    const running = await start({ ...inputs("pair"), checks: "[{body: pair-b}]" });
    await running.logged(/attempt 1: the body does not contain "pair-b"/);
    await kubectl("delete", "pod", "pair-a", "--grace-period=0", "--force");
    const { exitCode, outputs } = await running.finished;
    expect(exitCode).toBe(0);
    expect(JSON.parse(outputs.report ?? "").pods).toEqual(["pair-a", "pair-b"]);
  });
});

describe("a Service that is not ready", () => {
  it("is waited for, and said so", async () => {
    await createService("late", "late");
    const running = await start(inputs("late"));
    await running.logged(
      /No pod in namespace \S+ matches the selector of Service late \(app=late\)/,
    );
    await startPod("late", "late");
    expect(await running.finished).toMatchObject({ exitCode: 0, outputs: { verdict: "passed" } });
  });

  it("is told of when its time is over", async () => {
    await createService("never", "never");
    const { outputs, stdout } = await run({ ...inputs("never"), timeout: "2s" });
    expect(outputs.cause).toMatch(/No pod in namespace \S+ matches the selector of Service never/);
    expect(stdout).toContain("title=Nothing serves never");
  });

  it("that does not exist is named with its neighbours, after a short grace", async () => {
    await createService("payments", "payments");
    const { outputs, stdout, milliseconds } = await run({ ...inputs("paymnets"), timeout: "60s" });
    expect(outputs.cause).toContain("did you mean payments?");
    expect(stdout).toMatch(/Services there: .*payments/);
    expect(milliseconds).toBeGreaterThan(4_000);
    expect(milliseconds).toBeLessThan(15_000);
  });
});

describe("access", () => {
  it("that is not granted is told at once with verb, resource and namespace", async () => {
    await startPod("guarded", "guarded");
    await createService("guarded", "guarded");
    await kubectl("wait", "pod/guarded", "--for=condition=Ready", "--timeout=50s");
    const token = await tokenOf("reader", ["get,list,watch services,pods", SLICES]);
    const kubeconfig = await kubeconfigOf(token);
    const result = await run({ ...inputs("guarded"), kubeconfig });
    expect(result.outputs.cause).toMatch(
      new RegExp(`403: .*reader may not (create|get) pods/portforward.* in namespace ${namespace}`),
    );
    expect(result.milliseconds).toBeLessThan(5_000);
    const shown = result.stdout.replace(/^::add-mask::.*$/gm, "");
    expect(`${shown}${result.summary}${result.outputs.report}`).not.toContain(token);
  });

  it("with the rights that the README names is enough", async () => {
    const rules = ["get,list services", SLICES, "get,create pods/portforward"];
    const kubeconfig = await kubeconfigOf(await tokenOf("prober", rules));
    expect(await run({ ...inputs("guarded"), kubeconfig })).toMatchObject({ exitCode: 0 });
  });

  it("to a cluster that is not there is given up within seconds", async () => {
    const config = JSON.parse(await kubectl("config", "view", "--raw", "--output=json"));
    for (const { cluster } of config.clusters) cluster.server = "https://127.0.0.1:1";
    const kubeconfig = JSON.stringify(config);
    const { outputs, milliseconds } = await run({ ...inputs("web"), kubeconfig });
    expect(outputs.cause).toMatch(/127\.0\.0\.1:1.*ECONNREFUSED/);
    expect(milliseconds).toBeLessThan(20_000);
  });
});

const SLICES = "list endpointslices.discovery.k8s.io";

/** A token for a new account with the given rights, each as "verbs resources". */
async function tokenOf(account: string, rights: readonly string[]): Promise<string> {
  await kubectl("create", "serviceaccount", account);
  for (const [index, right] of rights.entries()) {
    const [verbs, resources] = right.split(" ");
    const role = `${account}-${index}`;
    await kubectl("create", "role", role, `--verb=${verbs}`, `--resource=${resources}`);
    const subject = `--serviceaccount=${namespace}:${account}`;
    await kubectl("create", "rolebinding", role, `--role=${role}`, subject);
  }
  return (await kubectl("create", "token", account)).trim();
}

/** The bed's cluster with another account's token. */
async function kubeconfigOf(token: string): Promise<string> {
  const raw = await kubectl("config", "view", "--raw", "--output=json");
  const config = JSON.parse(raw);
  for (const { user } of config.users) {
    for (const key of Object.keys(user)) delete user[key];
    user.token = token;
  }
  return JSON.stringify(config);
}
