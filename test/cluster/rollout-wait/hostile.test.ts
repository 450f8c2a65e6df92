import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { RolloutReport } from "../../../shared/kubernetes/index.ts";
import { bundleOf, runStep, type Step } from "../../runner/index.ts";
import { account, READER, rule } from "../kubernetes/account.ts";
import { deployment, type Sandbox, sandbox } from "../kubernetes/sandbox.ts";

/** What a pod may write, and whoever may make an event: to a terminal, to the runner, to a reader. */
const HOSTILE = [
  "::error title=forged::the log says so",
  "::add-mask::verdict",
  "  ::set-output name=verdict::passed",
  "##[error]an old command",
  "##[group]never closed",
  "::stop-commands::token",
  "\x1b[2J\x1b[31mred\x1b[0m and \x1b]0;title\x07 bells \x07\x08\x08",
  "overwritten\rby this",
  "\u202etxet desrever\u202c and \u2028 a line of its own",
  "</details></summary><script>alert(1)</script><img src=x onerror=alert(1)>",
  "```\n# a heading that closes the block",
  "| a | row | of | a | table |",
  "@everyone [link](https://evil.example) ![image](https://evil.example/x.png)",
  "\x00 nul, \x7f delete, \u009b31m eight bits",
];

let box: Sandbox;
let step: Step;
let report: RolloutReport;
let token: string;

beforeAll(async () => {
  box = await sandbox("hostile");
  const reader = await account(box, "reader", READER);
  token = reader.token;
  const words = Buffer.from(`${HOSTILE.join("\n")}\ntoken=${token}\nError: fatal ::error::x\n`);
  const script = `echo ${words.toString("base64")} | base64 -d; exit 3`;
  await box.cluster.apply(
    deployment(box, "hostile", { container: { command: ["sh", "-c", script] } }),
  );
  const running = runStep(bundleOf("rollout-wait"), {
    inputs: {
      kubeconfig: reader.kubeconfig,
      namespace: box.namespace,
      resources: "deployment/hostile",
      "restarts-allowed": "1",
    },
    onLine: (line) => {
      // As soon as the Deployment is watched, somebody forges an event about it.
      if (line.includes("deployment/hostile:")) void forgeEvent();
    },
  });
  step = await running;
  report = JSON.parse(step.outputs.report ?? "{}");
}, 90_000);
afterAll(async () => box?.[Symbol.asyncDispose]());

let forged: Promise<unknown> | undefined;
function forgeEvent(): Promise<unknown> {
  forged ??= (async () => {
    const ref = { apiVersion: "apps/v1", kind: "Deployment", namespace: box.namespace };
    const { metadata } = await box.cluster.get({ ...ref, name: "hostile" });
    const now = new Date().toISOString();
    await box.cluster.create({
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "forged", namespace: box.namespace },
      type: "Warning",
      reason: "::error::Forged",
      message: `${HOSTILE.join("\n").replaceAll("\x00", "")}\n${token}`,
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
      involvedObject: { ...ref, name: "hostile", uid: metadata.uid },
    } as Parameters<typeof box.cluster.create>[0]);
  })();
  return forged;
}

describe("events and log lines of a hostile pod", () => {
  it("are told all the same, with the right verdict", async () => {
    await forged;
    expect(step.exitCode).toBe(1);
    expect(step.outputs).toMatchObject({ verdict: "failed", reason: "CrashLoop" });
    expect(step.outputs.cause).toContain("exit code 3");
    expect(step.stdout).toContain("the log says so");
    expect(report.evidence.logs.length).toBeGreaterThan(0);
    expect(report.evidence.events.map(({ object }) => object)).toContain("deployment/hostile");
  });

  it("give the runner no command", () => {
    const names = new Set(step.commands.map(({ name }) => name));
    expect([...names].sort()).toEqual(["add-mask", "endgroup", "error", "group"]);
    const errors = step.commands.filter(({ name }) => name === "error");
    expect(errors).toHaveLength(1);
    expect(errors[0]?.properties.title).toBe("The rollout failed");
    const groups = step.commands.filter(({ name }) => name === "group");
    expect(groups.map(({ message }) => message)).toEqual(["Evidence"]);
    const masks = step.commands.filter(({ name }) => name === "add-mask");
    expect(masks.map(({ message }) => message)).not.toContain("verdict");
  });

  it("give a terminal nothing to obey", () => {
    const annotation = step.commands.find(({ name }) => name === "error")?.message ?? "";
    const told = [step.stdout, step.summary, step.outputs.cause ?? "", annotation];
    for (const text of told) {
      expect(text).not.toMatch(/[^\P{Cc}\t\n]|[\u202a-\u202e\u2066-\u2069]/u);
    }
  });

  it("tell nobody a secret", () => {
    const shown = step.lines.filter((line) => !line.startsWith("::add-mask::")).join("\n");
    for (const text of [shown, step.summary, JSON.stringify(step.outputs)]) {
      expect(text).not.toContain(token);
      expect(text).not.toContain(token.split(".")[2]);
    }
    expect(step.stdout).toContain("token=***");
  });

  it("cannot get out of their place in the summary", () => {
    const markdown = outsideOfBlocks(step.summary);
    expect(count(markdown, /<details>/g)).toBe(count(markdown, /<\/details>/g));
    expect(markdown).not.toMatch(/<script|<img|!\[image\]\(|^# a heading/m);
  });
});

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

/** What Markdown reads as such: what is in fenced blocks is shown as it is. */
function outsideOfBlocks(markdown: string): string {
  return markdown.replace(/^(`{3,})[^\n]*\n[\s\S]*?^\1`*$/gm, "");
}

describe("an account that may read neither events nor logs", () => {
  it("gets its verdict, and is told what was not read", async () => {
    const blind = await account(box, "blind", [
      rule("apps", ["deployments", "replicasets"]),
      rule("", ["pods"]),
    ]);
    const told = await runStep(bundleOf("rollout-wait"), {
      inputs: {
        kubeconfig: blind.kubeconfig,
        namespace: box.namespace,
        resources: "deployment/hostile",
        "restarts-allowed": "1",
      },
    });
    expect(told.outputs).toMatchObject({ verdict: "failed", reason: "CrashLoop" });
    expect(told.stdout).toMatch(/Not read:\n +403: .*:blind may not list events .*\n.*pods\/log/);
    expect(told.summary).toMatch(
      /Not read, and so not part of the evidence:[\s\S]*may not list events/,
    );
  }, 60_000);
});
