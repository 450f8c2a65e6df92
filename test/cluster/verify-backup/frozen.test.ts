import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { bundleOf, failureOf, Runner, runStep, startStep } from "../../runner/index.ts";
import { SmallS3 } from "../../servers/small-s3.ts";

const VERIFY = bundleOf("verify-backup");
let store: SmallS3;
let runner: Runner;

beforeAll(async () => {
  store = await SmallS3.start();
  runner = await Runner.create({ "data/a.txt": "hello" });
  for (const source of ["data", "data"]) {
    const inputs = { ...inputsOf(), source };
    const { exitCode, stdout } = await runStep(bundleOf("backup-database"), { inputs, runner });
    if (exitCode !== 0) throw new Error(stdout);
  }
  store.freeze();
}, 30_000);
afterAll(async () => {
  await runner?.[Symbol.asyncDispose]();
  await store?.[Symbol.asyncDispose]();
});

function inputsOf(): Record<string, string> {
  return {
    ...{ name: "files", storage: "s3://bucket/prod", "storage-endpoint": store.origin },
    ...{ "storage-access-key-id": "key", "storage-secret-access-key": "secret-of-the-key" },
  };
}

it("a backup in an archive fails at once, and says how it can be had", async () => {
  const step = await runStep(VERIFY, { inputs: inputsOf(), runner });
  expect(step.outputs.verdict).toBe("failed");
  expect(failureOf(step)).toMatch(
    /are in an archive.*cannot be read at once.*thaw-tier: standard/s,
  );
  expect(store.asked.filter(({ query }) => query.has("restore"))).toEqual([]);
}, 15_000);

it("is thawed where that is asked for, waited for, and proven", async () => {
  const inputs = { ...inputsOf(), "thaw-tier": "bulk", "thaw-days": "5", tier: "full" };
  const running = await startStep(VERIFY, { inputs, runner });
  await running.logged(/Thawed 0 of 4 after .*, at most 12 h/);
  // Those of the other backup, which is only there for the trend, are left in the archive.
  expect(store.thaw()).toBe(4);
  const { outputs } = await running.finished;
  expect(outputs).toMatchObject({ verdict: "passed", cause: "", tier: "full" });
  const [request] = store.asked.filter(({ query }) => query.has("restore"));
  expect(`${request?.body}`).toMatch(/<Days>5<\/Days>.*<Tier>Bulk<\/Tier>/);
}, 25_000);
