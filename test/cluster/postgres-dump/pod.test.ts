import { once } from "node:events";
import type { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { parseTarget, waitForRollout } from "../../../shared/kubernetes/index.ts";
import { openSession, reach, type Session } from "../../../shared/postgres/index.ts";
import { type DumpSettings, postgresSource } from "../../../shared/postgres-dump/index.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { type Sandbox, sandbox, testWorld } from "../kubernetes/sandbox.ts";

let box: Sandbox;
let session: Session;
let connection: DumpSettings["connection"];
const made = testWorld();

beforeAll(async () => {
  box = await sandbox("pgpod");
  const { cluster, namespace, endpoints } = box;
  const { images } = await resolveEndpoints(["postgres-17-image"]);
  await cluster.apply(database(namespace, images?.["postgres-17-image"] ?? ""));
  const deadline = Date.now() + 60_000;
  const targets = [parseTarget("statefulset/db", namespace)];
  await waitForRollout(cluster, targets, { deadline, world: made.world });
  connection = { pod: { namespace, target: "statefulset/db", kubeconfig: endpoints.kubeconfig } };
  const { place, connection: local } = await reach(connection, made.world);
  session = await openSession(place, local, { signal: made.world.signal });
  await session.run(
    "CREATE TABLE public.t AS SELECT i, md5(i::text) AS v FROM generate_series(1, 400000) i",
  );
}, 90_000);
afterAll(async () => {
  await session?.close();
  await box?.[Symbol.asyncDispose]();
});

function database(namespace: string, image: string) {
  const labels = { app: "db" };
  const env = [
    { name: "POSTGRES_USER", value: "boss" },
    { name: "POSTGRES_PASSWORD", value: "battery-staple" },
    { name: "POSTGRES_DB", value: "papers" },
  ];
  const probe = { command: ["pg_isready", "-h", "127.0.0.1", "-U", "boss", "-d", "papers"] };
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "db", namespace },
    spec: {
      serviceName: "db",
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [
            { name: "postgres", image, env, readinessProbe: { exec: probe, periodSeconds: 1 } },
          ],
        },
      },
    },
  };
}

/** Whoever is connected there beside this test. */
async function others(): Promise<readonly string[]> {
  const rows = await session.query<{ readonly query: string }>(
    "SELECT query FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name = 'seaworthy' AND pid <> pg_backend_pid()",
  );
  return rows.map(({ query }) => query);
}

describe("a database in a pod", () => {
  it("is dumped as its container's own user, through exec", async () => {
    let bytes = 0;
    const sink = {
      async write(_: string, content: Readable) {
        for await (const chunk of content) bytes += (chunk as Buffer).length;
      },
    };
    const source = postgresSource({ connection, format: "custom" });
    const { measures, source: facts } = await source.capture(sink, made.world);
    expect(facts).toMatchObject({ database: "papers", role: "boss", format: "custom" });
    expect(source.subject).toBe(`database papers in pod ${box.namespace}/db-0`);
    expect(measures.rows).toBe(400_000);
    expect(bytes).toBeGreaterThan(15_000_000);
    expect(made.world.secrets.redact("battery-staple")).toBe("***");
    expect(await others()).toEqual([]);
  }, 40_000);

  it("keeps nothing of a cancelled dump: no program, connection or snapshot", async () => {
    const { world, cancel } = testWorld();
    const begun = Promise.withResolvers<void>();
    const sink = {
      async write(_: string, content: Readable) {
        await once(content, "readable");
        begun.resolve();
        await once(content, "error").catch(() => {});
        throw new Error("cut off");
      },
    };
    const capture = postgresSource({ connection, format: "custom" }).capture(sink, world);
    const end = expect(capture).rejects.toThrow("enough");
    await begun.promise;
    expect((await others()).length).toBeGreaterThan(0);
    const began = performance.now();
    cancel(new Error("enough"));
    await end;
    // A server looks every two seconds whether those who ask are still there.
    while ((await others()).length > 0) expect(performance.now() - began).toBeLessThan(5_000);
  }, 40_000);

  it("is not dumped as a directory, for nothing is kept on the node", async () => {
    const source = postgresSource({ connection, format: "directory" });
    const sink = { write: () => Promise.reject(new Error("nothing is to come")) };
    await expect(source.capture(sink, made.world)).rejects.toMatchObject({
      title: "No directory format from a pod",
    });
  });
});
