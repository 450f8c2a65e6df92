import { expect, it, jest } from "@jest/globals";
import { bundleOf, Runner, runStep } from "../../runner/index.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { Bucket } from "../storage/bucket.ts";

jest.setTimeout(120_000);

it("a bucket keeps backups under its lock, and retention leaves what is locked", async () => {
  const { objectStore } = await resolveEndpoints(["minio"]);
  const { url: endpoint, accessKeyId, secretAccessKey } = objectStore;
  await using bucket = await new Bucket({ endpoint, accessKeyId, secretAccessKey }).create({
    "x-amz-bucket-object-lock-enabled": "true",
  });
  await using runner = await Runner.create({ "data/a.txt": "hello" });
  const storage = {
    name: "files",
    storage: bucket.settings.location,
    "storage-endpoint": endpoint,
    "storage-access-key-id": accessKeyId,
    "storage-secret-access-key": secretAccessKey,
  };
  const keeping = { "lock-mode": "governance", "lock-days": "1", keep: "last=1" };
  const inputs = { ...storage, ...keeping, source: "data" };
  const first = await runStep(bundleOf("backup-database"), { inputs, runner });
  expect(first.outputs).toMatchObject({ verdict: "passed", cause: "" });
  expect(first.outputs.location).toContain(`${bucket.name}/prod/files/${first.outputs.backup}`);
  const second = await runStep(bundleOf("backup-database"), { inputs, runner });
  expect(second.outputs.cause).toBe("");
  expect(second.outputs).toMatchObject({ verdict: "passed", deleted: "[]" });
  expect(second.summary).toMatch(/locked/);

  for (const backup of [first.outputs.backup ?? "", "latest"]) {
    const asked = { ...storage, backup, tier: "full" };
    const step = await runStep(bundleOf("verify-backup"), { inputs: asked, runner });
    expect(step.outputs).toMatchObject({ verdict: "passed", tier: "full", cause: "" });
    expect(`${step.stdout}${step.summary}`.replace(/^::add-mask::.*$/gm, "")).not.toContain(
      secretAccessKey,
    );
  }
});
