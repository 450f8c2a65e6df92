import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { load } from "js-yaml";
import { actionNames, root } from "../../../scripts/action-manifest.ts";
import { up } from "../../testbed/index.ts";
import { runTool } from "../tool.ts";
import { slug, workflowFiles } from "../uses.ts";
import { zizmor } from "./zizmor.ts";

/** Building actionlint from its source takes its time on a new machine. */
const FIRST_BUILD_MS = 600_000;

const workflows = workflowFiles();

interface Workflow {
  readonly on: unknown;
  readonly permissions?: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

interface Job {
  readonly uses?: string;
  readonly permissions?: unknown;
  readonly "timeout-minutes"?: unknown;
}

it("there are workflows to look at", () => {
  expect(workflows).toEqual(expect.arrayContaining([".github/workflows/ci.yml"]));
});

/** What GitHub knows and actionlint does not: how a job ended, for a workflow's outputs. */
const UNKNOWN_TO_ACTIONLINT = 'property "result" is not defined in object type {outputs: ';

describe("actionlint", () => {
  // actionlint does not know `uses: $/` yet, so it reads a copy that says `./`.
  const copy = mkdtempSync(join(tmpdir(), "workflows-"));
  let actionlint = "";

  beforeAll(async () => {
    actionlint = join((await up(["actionlint"])).bin, "actionlint");
    mkdirSync(join(copy, ".git"));
    for (const action of actionNames()) {
      const file = join("actions", action, "action.yml");
      cpSync(join(root, file), join(copy, file));
      mkdirSync(join(copy, "dist", action), { recursive: true });
      writeFileSync(join(copy, "dist", action, "index.js"), "");
    }
    for (const file of workflows) {
      const text = readFileSync(join(root, file), "utf8").replaceAll("uses: $/", "uses: ./");
      mkdirSync(dirname(join(copy, file)), { recursive: true });
      writeFileSync(join(copy, file), text);
    }
  }, FIRST_BUILD_MS);
  afterAll(() => rmSync(copy, { recursive: true }));

  it.each(workflows)("finds nothing in %s", (file) => {
    const { status, stdout, stderr } = runTool(actionlint, ["-no-color", "-oneline", file], copy);
    const findings = `${stdout}${stderr}`.split("\n").filter((line) => line !== "");
    expect(findings.filter((line) => !line.includes(UNKNOWN_TO_ACTIONLINT))).toEqual([]);
    // 1 is "something was found"; anything above, that it could not do its work.
    expect(status).toBe(findings.length === 0 ? 0 : 1);
  });

  it("would find an input that does not exist", () => {
    const [action = ""] = actionNames();
    const file = join(copy, ".github", "workflows", "wrong.yml");
    const step = `{ uses: ./actions/${action}, with: { no-such-input: 1 } }`;
    writeFileSync(file, `on: push\njobs: { a: { runs-on: ubuntu-latest, steps: [${step}] } }\n`);
    const { stdout } = runTool(actionlint, ["-no-color", file], copy);
    expect(stdout).toContain("no-such-input");
  });
});

describe("zizmor", () => {
  const folder = mkdtempSync(join(tmpdir(), "zizmor-"));
  const config = join(folder, "zizmor.yml");
  // Users follow our releases by their tags; what others made is pinned by its commit.
  const policies = { [`${slug}/*`]: "ref-pin", "*": "hash-pin" };
  writeFileSync(config, JSON.stringify({ rules: { "unpinned-uses": { config: { policies } } } }));
  afterAll(() => rmSync(folder, { recursive: true }));

  const options = ["--offline", "--no-progress", "--color=never", `--config=${config}`];
  const findings = (program: string, paths: readonly string[]) =>
    runTool(program, [...options, ...paths]);

  it("finds nothing", async () => {
    const examples = workflows.filter((file) => file.startsWith("examples/"));
    const { status, stdout, stderr } = findings(await zizmor(), [
      ".github",
      "actions",
      ...examples,
    ]);
    expect(status === 0 ? "" : `${stdout}${stderr}`).toBe("");
  }, 120_000);

  it("would find a text that becomes a part of a script", async () => {
    const script = ["$", "{{ github.event.issue.title }}"].join("");
    const file = join(folder, "wrong.yml");
    writeFileSync(
      file,
      `on: issues\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo "${script}"\n`,
    );
    const { status, stdout } = findings(await zizmor(), [file]);
    expect(status).not.toBe(0);
    expect(stdout).toContain("template-injection");
  }, 120_000);
});

describe.each(workflows)("%s", (file) => {
  const workflow = load(readFileSync(join(root, file), "utf8")) as Workflow;

  it("grants nothing that a job does not ask for", () => {
    expect(workflow.permissions).toEqual({});
    for (const [name, job] of Object.entries(workflow.jobs)) {
      expect([name, typeof job.permissions]).toEqual([name, "object"]);
    }
  });

  it("ends every job of its own at some time", () => {
    const endless = Object.entries(workflow.jobs).filter(
      ([, job]) => job.uses === undefined && job["timeout-minutes"] === undefined,
    );
    expect(endless.map(([name]) => name)).toEqual([]);
  });
});
