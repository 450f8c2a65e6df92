import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { parseTarget, waitForRollout } from "../../../shared/kubernetes/index.ts";
import { type Place, podPlace } from "../../../shared/place/index.ts";
import { bundleOf, failureOf, Runner, runStep, type Step } from "../../runner/index.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { type Sandbox, sandbox, testWorld } from "../kubernetes/sandbox.ts";

const RESTORE = bundleOf("restore-database");
const made = testWorld();
let box: Sandbox;
let place: Place;
let runner: Runner;

beforeAll(async () => {
  box = await sandbox("podfolder");
  runner = await Runner.create();
  const { cluster, namespace } = box;
  const { images } = await resolveEndpoints(["postgres-17-image"]);
  const image = images?.["postgres-17-image"] ?? "";
  const volumeMounts = [{ name: "data", mountPath: "/data" }];
  await cluster.apply({
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "web", namespace } },
    spec: {
      terminationGracePeriodSeconds: 0,
      volumes: [{ name: "data", emptyDir: {} }],
      containers: [{ name: "app", image, command: ["sleep", "600"], volumeMounts }],
    },
  });
  const deadline = Date.now() + 60_000;
  await waitForRollout(cluster, [parseTarget("pod/web", namespace)], {
    deadline,
    world: made.world,
  });
  place = podPlace(cluster, { namespace, pod: "web", container: "app" }, made.world.secrets);
  await sh(`set -e; for at in /data /srv/models; do mkdir -p $at/deep; cd $at
    head -c 300000 /dev/urandom > weights.bin; ln weights.bin same; ln -s deep/a current; echo a > deep/a
    mkdir -m 555 closed; chmod 4750 weights.bin; chown 1000:70 deep/a; printf x > 'odd " ü'; done`);
  for (const source of ["/data", "/srv/models"]) {
    const inputs = { ...common(source), source };
    const { exitCode, stdout } = await runStep(bundleOf("backup-database"), { inputs, runner });
    if (exitCode !== 0) throw new Error(stdout);
  }
}, 90_000);
afterAll(async () => {
  await box?.[Symbol.asyncDispose]();
  await runner?.[Symbol.asyncDispose]();
});

function common(folder: string): Record<string, string> {
  const { kubeconfig } = box.endpoints;
  const name = folder.replaceAll("/", "-").slice(1);
  const pod = { pod: "web", namespace: box.namespace, kubeconfig };
  return { name, kind: "directory", storage: "kept", ...pod };
}

async function sh(script: string): Promise<string> {
  const running = await place.start({ program: "sh", args: ["-c", script] }, made.world.signal);
  const said = await text(running.stdout);
  const { exitCode, stderr } = await running.ended;
  if (exitCode !== 0) throw new Error(stderr);
  return said;
}

/** All that a person would look at. This container's tar keeps no times of folders and links. */
const LOOK = (at: string) =>
  `cd ${at} && find . -printf '%P %y %m %U:%G %l %n\\n' | sort && stat -c %Y weights.bin deep/a && sha256sum weights.bin deep/a`;

async function restore(
  target: string,
  inputs: Readonly<Record<string, string>> = {},
): Promise<Step> {
  const { kind: _, ...rest } = common(target);
  return await runStep(RESTORE, { inputs: { ...rest, target, ...inputs }, runner });
}

it("a folder of a pod is restored beside, proven, and takes its place", async () => {
  const before = await sh(LOOK("/srv/models"));
  await sh("cd /srv/models && rm deep/a && echo damage > weights.bin && echo more > extra");
  const refused = await restore("/srv/models");
  expect(failureOf(refused)).toContain("is not given");
  const { outputs } = await restore("/srv/models", { replace: "/srv/models" });
  expect(outputs).toMatchObject({ verdict: "passed", cause: "" });
  expect(await sh(LOOK("/srv/models"))).toBe(before);
  expect(outputs["previous-folder"]).toMatch(/^\/srv\/models\.before-/);
  expect(await sh(`cat ${outputs["previous-folder"]}/extra; ls -A /srv | wc -l`)).toBe("more\n2\n");
}, 40_000);

it("a volume of a pod, which cannot be renamed, is restored in place, whole or in part", async () => {
  const before = await sh(LOOK("/data"));
  await sh("cd /data && rm -r deep && echo damage > weights.bin && echo more > extra");
  const refused = await restore("/data", { replace: "/data" });
  expect(failureOf(refused)).toContain("Give method: in-place");
  const part = await restore("/data", { paths: "deep" });
  expect(part.outputs).toMatchObject({ verdict: "passed", cause: "" });
  expect(await sh("cat /data/deep/a /data/extra; ls -A /data")).toMatch(
    /^a\nmore\n(?!.*seaworthy)/s,
  );
  const whole = await restore("/data", { method: "in-place", replace: "/data" });
  expect(whole.outputs).toMatchObject({ verdict: "passed", cause: "" });
  expect(await sh(LOOK("/data"))).toBe(before);
}, 40_000);
