import { existsSync, mkdirSync, readdirSync, truncateSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, jest } from "@jest/globals";
import { bundleOf, Runner, runStep, startStep } from "../../runner/index.ts";

jest.setTimeout(60_000);

const main = bundleOf("backup-database");
const inputs = { name: "files", source: "data", storage: "kept", compression: "gzip" };

/** Resolves when a part of a backup is being written. */
function partBegun(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  return new Promise((resolve) => {
    const watching = watch(folder, { recursive: true }, () => {
      if (filesIn(folder).length === 0) return;
      watching.close();
      resolve();
    });
  });
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);
}

it.each(["SIGINT", "SIGTERM"] as const)("a %s midway leaves no backup", async (signal) => {
  await using runner = await Runner.create();
  const large = join(runner.workspace, "data", "large");
  await runner.write("data/large", "");
  truncateSync(large, 8 * 1024 ** 3);
  const kept = join(runner.workspace, "kept");
  const begun = partBegun(kept);
  const { child, finished } = await startStep(main, { inputs, runner });
  await begun;
  child.kill(signal);
  const step = await finished;
  expect(step).toMatchObject({ exitCode: 1, stderr: "", leftovers: [] });
  expect(step.outputs).toMatchObject({ verdict: "cancelled", backup: "" });
  expect(filesIn(kept)).toEqual([]);

  // Nothing of it stands in the way of the next.
  writeFileSync(large, "small now");
  expect((await runStep(main, { inputs, runner })).outputs.verdict).toBe("passed");
});

it("a SIGKILL leaves nothing that counts, and the next run does not stumble over it", async () => {
  await using runner = await Runner.create();
  const large = join(runner.workspace, "data", "large");
  await runner.write("data/large", "");
  truncateSync(large, 8 * 1024 ** 3);
  const begun = partBegun(join(runner.workspace, "kept"));
  const { child, finished } = await startStep(main, { inputs, runner });
  await begun;
  child.kill("SIGKILL");
  await finished;
  const verify = bundleOf("verify-backup");
  const asked = { name: "files", storage: "kept", tier: "full" };
  const nothing = await runStep(verify, { inputs: asked, runner });
  expect(nothing.outputs.cause).toContain("files has no backup that is complete");

  writeFileSync(large, "small now");
  const again = await runStep(main, { inputs, runner });
  expect(again.outputs.verdict).toBe("passed");
  const proven = await runStep(verify, { inputs: asked, runner });
  expect(proven.outputs).toMatchObject({ verdict: "passed", backup: again.outputs.backup });
});
