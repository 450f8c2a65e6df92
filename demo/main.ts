import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { describe, UserError } from "../shared/failure/index.ts";
import { TestbedError } from "../test/testbed/index.ts";
import { type Arguments, readArguments, USAGE } from "./arguments.ts";
import { findGround, type Ground, removeTestbed } from "./ground.ts";
import { removeEverything } from "./remove.ts";
import { writeReport } from "./report/index.ts";
import { problemsOf, toJson } from "./result.ts";
import { Stage } from "./stage.ts";
import { Story } from "./story.ts";

const REPORT = resolve("demo-report.html");

/** Runs the demo; gives the exit code. */
async function run(args: Arguments, signal: AbortSignal): Promise<number> {
  const story = new Story(args.json ? process.stderr : process.stdout);
  const environment = { ...process.env, ...args.environment };
  if (args.task === "down") {
    await removeEverything(environment, story);
    return 0;
  }
  const folder = await mkdtemp(join(tmpdir(), "seaworthy-demo-"));
  try {
    story.chapter("The ground");
    const ground = await findGround(environment, folder, story, signal);
    story.tell(`There is ${ground.words}`);
    try {
      return await play(ground, args, story, signal);
    } finally {
      if (signal.aborted && ground.isNew) await removeTestbed(story);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function play(
  ground: Ground,
  args: Arguments,
  story: Story,
  signal: AbortSignal,
): Promise<number> {
  await using stage = await Stage.open(ground, story, signal);
  await stage.shipFirst();
  await stage.shipAgain();
  for (const fault of args.faults) await stage.shipBroken(fault);
  await writeReport(REPORT, stage.results);
  return tellResult(stage, story, ground, args);
}

function tellResult(stage: Stage, story: Story, { removal }: Ground, args: Arguments): number {
  const problems = stage.results.flatMap(problemsOf);
  const requests = stage.results.reduce((sum, { traffic }) => sum + traffic.requests, 0);
  const count = stage.results.length;
  story.chapter(problems.length === 0 ? "All is well" : "It did not go as it should");
  for (const problem of problems) story.bad(problem);
  if (problems.length === 0) {
    story.good(
      `${count} broken version${count === 1 ? "" : "s"} caught and rolled back; ${requests} requests, none failed`,
    );
  }
  story.tell(`The report, with pictures: ${relative("", REPORT)}`);
  story.tell(`The service still runs. To remove everything: ${removal}`);
  if (args.json) process.stdout.write(`${toJson(stage.results)}\n`);
  return problems.length === 0 ? 0 : 1;
}

/** A terminal and npm may both pass on the same Ctrl-C. */
const SAME_SIGNAL_MS = 500;

/** Aborts on Ctrl-C; a second one ends the process where it stands. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  let first = 0;
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) {
        if (performance.now() - first > SAME_SIGNAL_MS) process.exit(130);
        return;
      }
      first = performance.now();
      console.error("\nInterrupted: cleaning up (again to stop at once)");
      controller.abort(new Interrupted());
    });
  }
  return controller.signal;
}

class Interrupted extends Error {}

async function main(): Promise<number> {
  const signal = interruption();
  try {
    const args = readArguments(process.argv.slice(2));
    if (args.task === "help") {
      console.log(USAGE);
      return 0;
    }
    return await run(args, signal);
  } catch (error) {
    if (signal.aborted) {
      console.error("Cleaned up");
      return 130;
    }
    if (error instanceof UserError) {
      console.error(`\n${error.title}\n${error.cause}\n${error.remedy}`);
      if (error.evidence !== undefined) console.error(`\n${error.evidence}`);
    } else if (error instanceof TestbedError) {
      console.error(`\n${error.message}`);
    } else {
      console.error(error instanceof Error ? error.stack : describe(error));
    }
    return 1;
  }
}

process.exitCode = await main();
