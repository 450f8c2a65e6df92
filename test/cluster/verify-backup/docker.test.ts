import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, jest } from "@jest/globals";
import { bundleOf, startStep } from "../../runner/index.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { run } from "../../testbed/run.ts";
import { Papers } from "../backup-database/database.ts";

jest.setTimeout(120_000);

let papers: Papers;
let docker: Record<string, string>;
let environment: Record<string, string>;
beforeAll(async () => {
  const bed = await resolveEndpoints(["docker", "postgres-17-image"]);
  docker = { server: "docker", image: bed.images["postgres-17-image"] ?? "", record: "false" };
  environment = { DOCKER_HOST: bed.dockerHost, PATH: process.env.PATH ?? "" };
  papers = await Papers.open("17");
  await papers.backUp();
});
afterAll(() => papers?.[Symbol.asyncDispose]());

/** Containers of throw-away servers, running or not. */
async function left(): Promise<string> {
  const args = ["ps", "--all", "--filter", "name=seaworthy-restore-", "--format", "{{.Names}}"];
  return (await run("docker", args, { env: { ...process.env, ...environment } })).trim();
}

it("proves a backup in a container without network, and removes it", async () => {
  const step = await papers.verify({ ...docker, memory: "512Mi" }, environment);
  expect({ cause: step.outputs.cause, tier: step.outputs.tier }).toEqual({
    cause: "",
    tier: "full",
  });
  const path = join(papers.runner.workspace, "backup-verification/report.json");
  const { circumstances } = JSON.parse(readFileSync(path, "utf8"));
  expect(circumstances.server).toContain(docker.image);
  expect(circumstances.isolation).toMatch(
    /with no network, an unprivileged user.*; without a limit on disk/,
  );
  expect(await left()).toBe("");
});

it("says what is missing where the image cannot be had, or there is no engine", async () => {
  const image = `${docker.image?.split("/")[0]}/no-such/postgres:17`;
  const none = await papers.verify({ ...docker, image }, environment);
  expect(none.outputs.cause).toMatch(/no-such\/postgres:17/);
  const silent = await papers.verify(docker, { ...environment, DOCKER_HOST: "unix:///nowhere" });
  expect(silent.outputs.cause).toMatch(/docker/i);
  expect(await left()).toBe("");
});

it("leaves no container behind when it is cancelled", async () => {
  const inputs = { name: "papers", storage: "kept", tier: "full", ...docker };
  const { child, finished, logged } = await startStep(bundleOf("verify-backup"), {
    ...{ inputs, runner: papers.runner, environment },
  });
  await logged(/Restored roles and extensions/);
  child.kill("SIGTERM");
  expect((await finished).outputs.verdict).toBe("cancelled");
  expect(await left()).toBe("");
});
