import { afterAll, beforeAll, describe, expect } from "@jest/globals";
import { connect, type RolloutReport, waitForRollout } from "../../../shared/kubernetes/index.ts";
import { faultProxy } from "./fault-proxy.ts";
import { deployment, type Sandbox, sandbox, testWorld } from "./sandbox.ts";
import { together } from "./together.ts";

const AWAY = "Waiting for it to come back";

let box: Sandbox;
beforeAll(async () => {
  box = await sandbox("server-faults");
});
afterAll(async () => box?.[Symbol.asyncDispose]());

/** Makes a Deployment whose container is ready after so many seconds. */
async function roll(name: string, seconds: number): Promise<void> {
  const command = ["sh", "-c", `sleep ${seconds}; exec httpd -f -p 8080 -h /etc`];
  await box.cluster.apply(deployment(box, name, { container: { command } }));
}

interface Waiting {
  readonly lines: string[];
  readonly report: Promise<RolloutReport>;
}

async function waitFor(name: string, kubeconfig: string): Promise<Waiting> {
  const { world, lines } = testWorld();
  const cluster = await connect({ kubeconfig }, world);
  const target = { apiVersion: "apps/v1", kind: "Deployment", namespace: box.namespace, name };
  const deadline = Date.now() + 120_000;
  return { lines, report: waitForRollout(cluster, [target], { deadline, world }) };
}

async function until(met: () => boolean): Promise<void> {
  while (!met()) await new Promise((resolve) => setTimeout(resolve, 50));
}

const looksAt = (name: string, lines: readonly string[]) =>
  until(() => lines.some((line) => line.startsWith(`deployment/${name}:`)));

const isWatchOf = (plural: string, url: URL) =>
  url.searchParams.has("watch") && url.pathname.endsWith(`/${plural}`);

async function noLongerKnows(): Promise<void> {
  let expired = 0;
  await using proxy = await faultProxy(box.cluster, ({ url }) => {
    if (!isWatchOf("pods", url) || expired >= 3) return "pass";
    expired += 1;
    // The real server's own answer to one who comes from long ago.
    url.searchParams.set("resourceVersion", "1");
    return { url: `${url.pathname}${url.search}` };
  });
  await roll("gone", 4);
  const { lines, report } = await waitFor("gone", proxy.kubeconfig);
  expect((await report).verdict).toBe("ready");
  expect(expired).toBe(3);
  const lists = proxy.requests.filter((line) => /\/pods\?/.test(line) && !/watch=/.test(line));
  expect(lists.length).toBe(4);
  expect(lines.join("\n")).not.toContain(AWAY);
}

async function asksForPatience(): Promise<void> {
  const left = new Map([
    ["pods", 2],
    ["deployments", 1],
    ["replicasets", 1],
  ]);
  await using proxy = await faultProxy(box.cluster, ({ url }) => {
    const plural = url.pathname.split("/").at(-1) ?? "";
    const more = left.get(plural) ?? 0;
    if (more === 0) return "pass";
    left.set(plural, more - 1);
    return { status: plural === "pods" ? 429 : 503, headers: { "retry-after": "1" } };
  });
  await roll("busy", 1);
  const { lines, report } = await waitFor("busy", proxy.kubeconfig);
  expect((await report).verdict).toBe("ready");
  expect([...left.values()]).toEqual([0, 0, 0]);
  expect(lines.join("\n")).not.toContain(AWAY);
}

async function answersNothingButErrors(): Promise<void> {
  let broken = false;
  await using proxy = await faultProxy(box.cluster, () => (broken ? { status: 500 } : "pass"));
  await roll("broken", 6);
  const { lines, report } = await waitFor("broken", proxy.kubeconfig);
  await looksAt("broken", lines);
  broken = true;
  proxy.drop();
  await until(() => lines.some((line) => line.includes(AWAY)));
  broken = false;
  expect((await report).verdict).toBe("ready");
  expect(lines).toContain("The API server is back.");
}

async function breaksConnections(): Promise<void> {
  await using proxy = await faultProxy(box.cluster, () => "pass");
  await roll("dropped", 5);
  const { lines, report } = await waitFor("dropped", proxy.kubeconfig);
  await looksAt("dropped", lines);
  const timer = setInterval(() => proxy.drop(), 700);
  try {
    expect((await report).verdict).toBe("ready");
  } finally {
    clearInterval(timer);
  }
}

async function fallsSilent(): Promise<void> {
  await using proxy = await faultProxy(box.cluster, () => "pass");
  await roll("silent", 8);
  const { lines, report } = await waitFor("silent", proxy.kubeconfig);
  await looksAt("silent", lines);
  await until(() => proxy.requests.filter((line) => line.includes("watch=")).length >= 4);
  proxy.freeze();
  const { verdict, seconds } = await report;
  expect(verdict).toBe("ready");
  expect(seconds).toBeLessThan(55);
}

describe("an API server", () => {
  together(
    {
      "that no longer knows where a watch left off (410) is listed anew": noLongerKnows,
      "that asks for patience (429, 503 with Retry-After) gets it": asksForPatience,
      "that answers nothing but errors for a while is waited for, and said":
        answersNothingButErrors,
      "whose connections break again and again costs nothing but connections": breaksConnections,
      "whose connections fall silent without a word is found out": fallsSilent,
    },
    150_000,
  );
});
