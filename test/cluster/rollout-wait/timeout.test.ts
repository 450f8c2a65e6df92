import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { parseTarget, waitForRollout } from "../../../shared/kubernetes/index.ts";
import { deployment, type Sandbox, sandbox, testWorld } from "../kubernetes/sandbox.ts";

let box: Sandbox;
beforeAll(async () => {
  box = await sandbox("rollout-wait");
});
afterAll(async () => box?.[Symbol.asyncDispose]());

it("says at the timeout what is missing, where nothing else is wrong", async () => {
  const slow = { container: { command: ["sleep", "600"] } };
  await box.cluster.apply(deployment(box, "too-slow", slow));
  const target = parseTarget("deployment/too-slow", box.namespace);
  const { world } = testWorld();
  const deadline = Date.now() + 3_000;
  const { verdict, cause } = await waitForRollout(box.cluster, [target], { deadline, world });
  expect({ verdict, reason: cause?.reason }).toEqual({ verdict: "timed-out", reason: "Timeout" });
  expect(cause?.message).toMatch(/not ready after 3 s: 0 of 1 pods available; pod too-slow-/);
}, 20_000);
