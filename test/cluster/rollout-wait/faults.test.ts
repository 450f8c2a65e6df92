import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { OutputName } from "../../../actions/rollout-wait/inputs.ts";
import { rolloutWait } from "../../../actions/rollout-wait/rollout-wait.ts";
import type { Outcome } from "../../../shared/action/index.ts";
import { GRACES, type RolloutReport } from "../../../shared/kubernetes/index.ts";
import {
  type DeploymentParts,
  deployment,
  type Sandbox,
  sandbox,
  testWorld,
} from "../kubernetes/sandbox.ts";
import { optionsOf } from "./options.ts";
import { ended, type Sign, Witness, waitingFor } from "./witness.ts";

/** The verdict must come this soon after its cause is certain. */
const SOON_MS = 2_000;

interface Fault {
  readonly name: string;
  readonly parts: (box: Sandbox) => DeploymentParts;
  readonly sign: Sign;
  readonly grace: number;
  readonly reason: string;
  readonly words: readonly string[];
}

const script = (text: string) => ({ container: { command: ["sh", "-c", text] } });

const faults: readonly Fault[] = [
  {
    name: "no-image",
    parts: ({ endpoints }) => ({
      container: { image: `${endpoints.registry}/rollout-wait/none:2` },
    }),
    sign: waitingFor("ErrImagePull", "ImagePullBackOff"),
    grace: 0,
    reason: "ImageNotFound",
    words: ["image ", "rollout-wait/none:2 not found", 'container "main" of pod no-image-'],
  },
  {
    name: "bad-image-name",
    parts: () => ({ container: { image: "Not A Name" } }),
    sign: waitingFor("InvalidImageName"),
    grace: 0,
    reason: "ImageNameInvalid",
    words: ['"Not A Name" is not a valid image name'],
  },
  {
    name: "crash",
    parts: () => script("echo starting; echo 'Error: cannot reach the database'; exit 3"),
    sign: ended(3),
    grace: 0,
    reason: "CrashLoop",
    words: ["crashed 3 times with exit code 3", "its last words: Error: cannot reach the database"],
  },
  {
    name: "init-crash",
    parts: ({ endpoints }) => ({
      pod: {
        initContainers: [
          {
            name: "migrate",
            image: endpoints.busyboxImage,
            command: ["sh", "-c", "echo no schema; exit 7"],
          },
        ],
      },
    }),
    sign: ended(3),
    grace: 0,
    reason: "CrashLoop",
    words: ['init container "migrate"', "exit code 7", "no schema"],
  },
  {
    name: "no-config",
    parts: () => ({ container: { envFrom: [{ configMapRef: { name: "settings" } }] } }),
    sign: waitingFor("CreateContainerConfigError"),
    grace: GRACES.config,
    reason: "ConfigError",
    words: ['configmap "settings" not found'],
  },
  {
    name: "no-program",
    parts: () => ({ container: { command: ["no-such-program"] } }),
    sign: (status) => waitingFor("RunContainerError")(status) || ended(1)(status),
    grace: 0,
    reason: "CannotStart",
    words: ["cannot start", '"no-such-program": executable file not found'],
  },
];

describe("a rollout that cannot succeed", () => {
  let box: Sandbox;
  const results = new Map<string, { outcome: Outcome<OutputName>; lines: string[]; at: number }>();
  let witness: Witness;

  beforeAll(async () => {
    box = await sandbox("rollout-wait");
    const signs = Object.fromEntries(faults.map(({ name, sign }) => [name, sign]));
    witness = new Witness(box.cluster, box.namespace, signs);
    await Promise.all(
      faults.map(async ({ name, parts }) => {
        await box.cluster.apply(deployment(box, name, parts(box)));
        const { world, lines } = testWorld();
        const outcome = await rolloutWait(optionsFor(box, `deployment/${name}`), world);
        results.set(name, { outcome, lines, at: Date.now() });
      }),
    );
  }, 120_000);

  afterAll(async () => {
    witness?.[Symbol.dispose]();
    await box?.[Symbol.asyncDispose]();
  });

  it.each(faults)(
    "$name: says why, soon after it can be known",
    ({ name, grace, reason, words }) => {
      const result = results.get(name);
      const report = result?.outcome.outputs.report;
      expect(report).toMatchObject({
        verdict: "failed",
        cause: { reason, resource: `deployment/${name}` },
      });
      for (const word of words) expect(result?.outcome.failure?.cause).toContain(word);
      expect(result?.outcome.summary).toMatch(/^## ❌ The rollout failed after/);
      const late = (result?.at ?? Infinity) - (witness.sawAt(name) + grace);
      console.log(`${name}: verdict ${late} ms after its cause was certain`);
      expect(late).toBeGreaterThan(-1_000);
      expect(late).toBeLessThan(SOON_MS);
    },
  );

  const reportOf = (name: string) => {
    const report = results.get(name)?.outcome.outputs.report;
    if (report === undefined) throw new Error(`${name} gave no report`);
    return report as RolloutReport;
  };

  it("gives the container's last lines and the events as evidence", () => {
    const { evidence } = reportOf("crash");
    expect(evidence.logs.flatMap(({ lines }) => lines)).toContain(
      "Error: cannot reach the database",
    );
    expect(evidence.events.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(["BackOff", "Created"]),
    );
    expect(evidence.unavailable).toEqual([]);
  });

  it("tells of changes only", () => {
    for (const { lines } of results.values()) expect(new Set(lines).size).toBe(lines.length);
  });
});

describe("a rollout that only looks bad", () => {
  let box: Sandbox;
  beforeAll(async () => {
    box = await sandbox("rollout-wait");
  });
  afterAll(async () => box[Symbol.asyncDispose]());

  const slow: readonly [string, DeploymentParts, ((box: Sandbox) => Promise<unknown>)?][] = [
    ["healthy", { replicas: 2 }],
    ["ready-late", script("sleep 12; exec httpd -f -p 8080 -h /etc")],
    ["no-probe", { container: { readinessProbe: null } }],
    [
      "crashes-twice",
      {
        pod: { volumes: [{ name: "count", emptyDir: {} }] },
        container: {
          command: [
            "sh",
            "-c",
            "echo x >> /count/runs; [ $(wc -l < /count/runs) -gt 2 ] || exit 1; exec httpd -f -p 8080 -h /etc",
          ],
          volumeMounts: [{ name: "count", mountPath: "/count" }],
        },
      },
    ],
    [
      "config-late",
      { container: { envFrom: [{ configMapRef: { name: "late" } }] } },
      async ({ cluster, namespace }) => {
        await untilWaiting(cluster, namespace, "config-late", "CreateContainerConfigError");
        // Shortly before the grace is over; the kubelet looks again only after it.
        await new Promise((resolve) => setTimeout(resolve, GRACES.config - 2_000));
        await cluster.create({
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: { name: "late", namespace },
        });
      },
    ],
  ];

  it("passes in the end, all of them", async () => {
    const verdicts = await Promise.all(
      slow.map(async ([name, parts, mend]) => {
        await box.cluster.apply(deployment(box, name, parts));
        const { world } = testWorld();
        const waiting = rolloutWait(optionsFor(box, `deploy/${name}`), world);
        await mend?.(box);
        const { outputs, failure } = await waiting;
        return [name, (outputs.report as RolloutReport).verdict, failure?.cause];
      }),
    );
    expect(verdicts).toEqual(slow.map(([name]) => [name, "ready", undefined]));
  }, 90_000);
});

async function untilWaiting(
  cluster: Sandbox["cluster"],
  namespace: string,
  name: string,
  reason: string,
): Promise<void> {
  using witness = new Witness(cluster, namespace, { [name]: waitingFor(reason) });
  await witness.saw(name);
}

function optionsFor(box: Sandbox, resource: string) {
  return optionsOf(box, { resources: [resource], timeout: 90_000 });
}
