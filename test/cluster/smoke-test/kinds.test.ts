import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { makeAuthority } from "../../bundle/smoke-test/certificates.ts";
import {
  bundleOf,
  failureOf,
  runStep,
  type Step,
  snapshot,
  startStep,
} from "../../runner/index.ts";
import { type Endpoints, up } from "../../testbed/index.ts";

const main = bundleOf("smoke-test");
const execute = promisify(execFile);
const namespace = `smoke-kinds-${randomBytes(3).toString("hex")}`;
const authority = makeAuthority();

/** A server of everything: HTTP 8080, HTTPS 8443, gRPC health 50051, a mail server's greeting 2525. */
const SERVER = `
const http = require("node:http"), https = require("node:https"), http2 = require("node:http2");
const net = require("node:net"), os = require("node:os"), fs = require("node:fs");
const answer = (request, response) => {
  response.setHeader("x-pod", os.hostname());
  if (!["/", "/healthz"].includes(request.url)) response.statusCode = 404;
  response.end(JSON.stringify({ status: "healthy", version: "2.0" }));
};
http.createServer(answer).listen(8080);
https.createServer({ key: fs.readFileSync("/server/key"), cert: fs.readFileSync("/server/cert") }, answer).listen(8443);
net.createServer((socket) => socket.on("error", () => {}).end("220 mail.test ESMTP\\r\\n")).listen(2525);
http2.createServer().on("stream", (stream) => {
  const chunks = [];
  stream.on("data", (chunk) => chunks.push(chunk)).on("end", () => {
    const service = Buffer.concat(chunks).subarray(7).toString();
    const state = { "": 1, "shop.Orders": 1, "shop.Stock": 2 }[service];
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers(state ? { "grpc-status": "0" } : { "grpc-status": "5", "grpc-message": "unknown%20service" }));
    stream.end(state ? Buffer.from([0, 0, 0, 0, 2, 8, state]) : undefined);
  });
}).listen(50051);
`;

let bed: Endpoints;
/** Two versions of one image. */
let versions: readonly { readonly reference: string; readonly digest: string }[];

jest.setTimeout(120_000);

beforeAll(async () => {
  bed = await up(["kubernetes", "busybox-image", "node-image", "crane"]);
  await kubectl("create", "namespace", namespace);
  const host = `server.${namespace}.svc`;
  const { key, cert } = authority.sign(`DNS:${host}`);
  const files = { "server.js": SERVER, key, cert };
  const literals = Object.entries(files).map(([name, text]) => `--from-literal=${name}=${text}`);
  await kubectl("create", "configmap", "server", ...literals);
  versions = await Promise.all(["1", "2"].map(makeVersion));
  await apply(
    deployment("server", bed.nodeImage, ["node", "/server/server.js"]),
    ...["old", "new"].map((name, at) => pod(name, versions[at]?.reference ?? "")),
    service("server", "server", { http: 8080, https: 8443, grpc: 50_051, mail: 2525, shut: 9 }),
    service("mixed", "mixed", { http: 8080 }),
  );
  await kubectl("wait", "pods", "--all", "--for=condition=Ready", "--timeout=80s");
}, 30 * 60_000);

afterAll(() => kubectl("delete", "namespace", namespace, "--wait=false"));

async function kubectl(...args: string[]): Promise<string> {
  return tool("kubectl", ["--kubeconfig", bed.kubeconfig, "--namespace", namespace, ...args]);
}

async function tool(name: string, args: readonly string[]): Promise<string> {
  const env = { ...process.env, PATH: `${bed.bin}:${process.env.PATH}` };
  return (await execute(name, args, { env })).stdout;
}

/** The busybox image with another label, and so another digest, in a repository of its own. */
async function makeVersion(version: string) {
  const repository = `${bed.registry}/${namespace}/web`;
  const target = `${repository}:${version}`;
  const marked = ["mutate", bed.busyboxImage, "--label", `version=${version}`, "--tag", target];
  await tool("crane", [...marked, "--insecure"]);
  const digest = (await tool("crane", ["digest", target, "--insecure"])).trim();
  return { reference: `${repository}@${digest}`, digest };
}

async function apply(...objects: readonly object[]): Promise<void> {
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
  const env = { ...process.env, PATH: `${bed.bin}:${process.env.PATH}` };
  const args = ["--kubeconfig", bed.kubeconfig, "--namespace", namespace, "apply", "-f", "-"];
  const running = execute("kubectl", args, { env });
  running.child.stdin?.end(list);
  await running;
}

function podSpec(image: string, command: readonly string[]) {
  const readinessProbe = { tcpSocket: { port: 8080 }, periodSeconds: 1 };
  const volumeMounts = [{ name: "server", mountPath: "/server" }];
  return {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: "main", image, command, readinessProbe, volumeMounts }],
    volumes: [{ name: "server", configMap: { name: "server" } }],
  };
}

function deployment(name: string, image: string, command: readonly string[]) {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: podSpec(image, command) };
  const spec = { replicas: 1, selector: { matchLabels: labels }, template };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name }, spec };
}

/** Answers /health with its name. */
function pod(name: string, image: string) {
  const script = `echo '{"pod":"${name}"}' > /tmp/health; exec httpd -f -p 8080 -h /tmp`;
  const metadata = { name, labels: { app: "mixed" } };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: podSpec(image, ["sh", "-c", script]) };
}

function service(name: string, app: string, ports: Readonly<Record<string, number>>) {
  const listed = Object.entries(ports).map(([each, port]) => ({ name: each, port }));
  const spec = { type: "NodePort", selector: { app }, ports: listed };
  return { apiVersion: "v1", kind: "Service", metadata: { name }, spec };
}

function inputs(checks: string, more: Readonly<Record<string, string>> = {}) {
  const { kubeconfig } = bed;
  return { namespace, kubeconfig, checks, timeout: "60s", interval: "200ms", ...more };
}

function run(checks: string, more: Readonly<Record<string, string>> = {}): Promise<Step> {
  return runStep(main, { inputs: inputs(checks, more) });
}

function reportOf({ outputs }: Step) {
  return JSON.parse(outputs.report ?? "{}");
}

describe("checks of every kind", () => {
  it("pass together, each by its own way", async () => {
    const checks = `- { service: server:http, preset: health, version: { json: $.version, equals: "2.0" } }
- { service: server:http, latency: p95 < 5s over 20 requests }
- { service: server:https, tls: true }
- { service: server:grpc, type: grpc }
- { service: server:grpc, grpc-service: shop.Orders }
- { service: server:mail, type: tcp, expect: "220 mail.test" }
- { service: server:http, type: tcp }
- { service: server, command: [node, -p, 6*7], stdout: "42" }
- { workload: deploy/server, command: [sh, -c, "exit 3"], exit-code: 3 }`;
    const result = await run(checks, { ca: authority.cert });
    expect(result).toMatchObject({ exitCode: 0, outputs: { verdict: "passed" } });
    const report = reportOf(result);
    expect(report.checks.map(({ answer }: { answer: string }) => answer)).toEqual([
      ...["200", "200", "200", "SERVING", "SERVING", "connected", "connected"],
      ...["exit code 0", "exit code 3"],
    ]);
    expect(report.checks[0]).toMatchObject({
      note: "answered at /healthz",
      versions: { "2.0": 1 },
    });
    expect(report.checks[1].latencies).toMatchObject({ requests: 20 });
    expect(report.pods).toEqual([expect.stringMatching(/^server-/)]);
  });

  it("fail each with what is wrong", async () => {
    const checks = `- { attempts: 1, name: latency, service: server:http, latency: p95 < 1ms over 10 requests }
- { attempts: 1, name: strangers, service: server:https, tls: true }
- { attempts: 1, name: plain, service: server:https }
- { attempts: 1, name: stock, service: server:grpc, grpc-service: shop.Stock }
- { attempts: 1, name: nobody, service: server:grpc, grpc-service: shop.Nobody }
- { attempts: 1, name: no-grpc, service: server:mail, type: grpc }
- { attempts: 1, name: shut, service: server:shut, type: tcp }
- { attempts: 1, name: words, service: server:mail, type: tcp, expect: { matches: "^SSH-" } }
- { attempts: 1, name: code, workload: deployment/server, command: [sh, -c, "echo no disk >&2; exit 7"] }
- { attempts: 1, name: container, service: server, container: man, command: [id] }
- { attempts: 1, name: workload, workload: deploy/serve, command: [id] }
- { attempts: 1, name: program, service: server, command: [no-such-program] }`;
    const result = await run(checks);
    const { checks: told } = reportOf(result);
    const why = Object.fromEntries(
      told.map(({ name, reasons }: { name: string; reasons: string[] }) => [name, reasons.join()]),
    );
    expect(why).toMatchObject({
      latency: expect.stringMatching(/p95 of 10 requests took \d.* ms, expected less than 1 ms/),
      strangers: expect.stringMatching(/certificate of server\.\S+\.svc is not valid here/),
      plain: expect.stringMatching(/broke the connection off|the status is 400/),
      stock: 'the service "shop.Stock" is NOT_SERVING, expected SERVING',
      nobody: 'the server does not know the service "shop.Nobody": NOT_FOUND: "unknown service"',
      "no-grpc": expect.stringMatching(/proper HTTP\/2|broke the connection off/),
      shut: expect.stringMatching(/the port-forward says: .*9.*refused/),
      words: "what the server said does not match /^SSH-/u",
      code: "the exit code is 7, expected 0; its last words: no disk",
      container: expect.stringMatching(
        /Pod server-\S+ in namespace \S+ has no container man; did you mean main\?/,
      ),
      workload: expect.stringMatching(/has no Deployment serve; did you mean server\?/),
      program: expect.stringMatching(/no-such-program could not be started: .*not found/s),
    });
    expect(result.exitCode).toBe(1);
  });
});

describe("the version that answers", () => {
  const mapOf = (digest = "") =>
    JSON.stringify({ web: { repository: `${bed.registry}/${namespace}/web`, digest } });

  it("is asked of every pod, until none of the old ones is left", async () => {
    const images = mapOf(versions[1]?.digest);
    const failed = await run("[{service: mixed, path: /health, attempts: 2}]", { images });
    expect(failed.outputs.cause).toMatch(
      /pod old answered, whose container main runs sha256:\w+, expected sha256:/,
    );
    const { said, kept } = snapshot("smoke-test", failureOf(failed), { [namespace]: "shop" });
    expect(said).toBe(kept);
    const given = inputs("[{service: mixed, path: /health}]", { images });
    const running = await startStep(main, { inputs: given });
    await running.logged(/pod old answered/);
    await kubectl("delete", "pod", "old", "--grace-period=0", "--force");
    const passed = await running.finished;
    expect(passed.exitCode).toBe(0);
    const { proofs } = reportOf(passed);
    expect(proofs).toContainEqual(expect.objectContaining({ pod: "new", verdict: "proved" }));
  });

  it("is proved nowhere when no answering pod runs an image of the map", async () => {
    const images = mapOf(versions[1]?.digest);
    const { exitCode, outputs } = await run("[{service: server:http}]", { images });
    expect(exitCode).toBe(1);
    expect(outputs.cause).toMatch(/no pod that answered runs an image of the digest map/);

    const wanted = { images, "require-images": "false" };
    const unproved = await run("[{service: server:http}]", wanted);
    expect(unproved.outputs.verdict).toBe("passed");
    expect(unproved.stdout).toContain("Not checked: which image answers.");
    // Another version of the same image that answers fails all the same.
    const other = await run("[{service: mixed, path: /health, attempts: 1}]", {
      ...wanted,
      images: mapOf(versions[0]?.digest),
    });
    expect(other.outputs).toMatchObject({
      verdict: "failed",
      cause: expect.stringContaining("pod new answered, whose container main runs"),
    });
  });

  it("is found by the pod that an answer through a URL names", async () => {
    const jsonpath = "jsonpath={.spec.ports[0].nodePort}";
    const port = await kubectl("get", "service", "server", "--output", jsonpath);
    const digest = (await tool("crane", ["digest", bed.nodeImage, "--insecure"])).trim();
    const url = `http://${bed.nodeAddress}:${port}`;
    const check = (expected: string) =>
      `[{url: "${url}", attempts: 2, requests: 3, answered-by: {header: X-Pod}, digest: "${expected}"}]`;
    expect(await run(check(digest))).toMatchObject({ exitCode: 0 });
    const wrong = await run(check(`sha256:${"0".repeat(64)}`));
    expect(wrong.outputs.cause).toMatch(
      /pod server-\S+ answered, whose container main runs sha256/,
    );
  });
});

describe("an Ingress", () => {
  it("is asked by its host at the address that it was given", async () => {
    const backend = { service: { name: "server", port: { name: "http" } } };
    const rules = [
      { host: "shop.test", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } },
    ];
    const kind = { apiVersion: "networking.k8s.io/v1", kind: "Ingress" };
    await apply({ ...kind, metadata: { name: "shop" }, spec: { rules } });
    const running = await startStep(main, {
      inputs: inputs("[{ingress: shop}]"),
    });
    await running.logged(/Ingress shop in namespace \S+ has no address yet/);
    // Nothing listens there, which is told with the name and the address that was tried.
    const status = { loadBalancer: { ingress: [{ ip: "127.0.0.1" }] } };
    const patch = ["patch", "ingress", "shop", "--subresource=status", "--type=merge"];
    await kubectl(...patch, "-p", JSON.stringify({ status }));
    await running.logged(/GET \/ of ingress\/shop, attempt \d+: shop\.test refuses connections/);
    running.child.kill("SIGINT");
    expect((await running.finished).outputs.verdict).toBe("cancelled");
  });
});

describe("without the right to run commands", () => {
  it("the verb, the resource and the namespace are told at once", async () => {
    await kubectl("create", "serviceaccount", "reader");
    const verbs = ["--verb=get,list,watch", "--resource=pods,services,deployments.apps"];
    await kubectl("create", "role", "reader", ...verbs);
    const subject = `--serviceaccount=${namespace}:reader`;
    await kubectl("create", "rolebinding", "reader", "--role=reader", subject);
    const token = (await kubectl("create", "token", "reader")).trim();
    const config = JSON.parse(await kubectl("config", "view", "--raw", "--output=json"));
    for (const user of config.users) user.user = { token };
    const kubeconfig = JSON.stringify(config);
    const checks = "[{workload: deploy/server, command: [id]}]";
    const { outputs, milliseconds } = await run(checks, { kubeconfig });
    expect(outputs.cause).toMatch(
      new RegExp(`403: .*reader may not (create|get) pods/exec.* in namespace ${namespace}`),
    );
    expect(milliseconds).toBeLessThan(20_000);
  });
});
