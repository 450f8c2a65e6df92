import * as core from "@actions/core";
import { describe, stackOf, UserError } from "../failure/index.ts";
import { Secrets } from "../secrets/index.ts";
import { systemClock, type World } from "../world/index.ts";
import {
  AFTERMATH_MS,
  type Cancellation,
  Cancelled,
  listenForCancellation,
} from "./cancellation.ts";
import { bugReport, summaryOf } from "./failure-summary.ts";
import { type Inputs, type OptionsOf, parseInputs, secretsAmong } from "./inputs.ts";
import { COMMON_OUTPUTS, type Outcome, type OutputValue, type Verdict } from "./outcome.ts";
import { writeOutputs } from "./output-file.ts";
import { writePath } from "./path-file.ts";
import { printableLines, runnerLog } from "./runner-log.ts";
import { plainLines } from "./safe-line.ts";
import { writeSummary } from "./step-summary.ts";

/** The story that an action tells: options in, outcome out. */
export type UseCase<Options, Output extends string = string> = (
  options: Options,
  world: World,
) => Promise<Outcome<Output>>;

/** All that the door to the runner needs to know of an action. */
export interface Action<I extends Inputs, Output extends string> {
  readonly name: string;
  readonly inputs: I;
  /** The outputs of its own, beside `verdict` and `cause`. */
  readonly outputs: readonly Output[];
  /** Loaded only when the inputs are right, so that a slip of the pen is told in no time. */
  readonly useCase: () => Promise<UseCase<OptionsOf<I>, Output>>;
}

/** An outcome together with the word for it. */
interface Ending {
  readonly outcome: Outcome;
  readonly verdict: Verdict;
}

/**
 * Runs an action as the runner expects it: inputs parsed, secrets masked before the first line,
 * the use case run under cancellation, outputs and the job summary written on every path, and
 * the exit status set. Never rejects; ends the process.
 */
export async function run<I extends Inputs, Output extends string>(
  action: Action<I, Output>,
): Promise<never> {
  // A reader that has gone away takes the log with it; outputs, summary and exit status remain.
  process.stdout.on("error", () => {});
  const secrets = new Secrets((value) => core.setSecret(value));
  const exit = exitOnlyWithVerdict((error) => {
    tell(action, { outcome: failed(error, action.name), verdict: "failed" }, secrets);
  });
  using cancellation = listenForCancellation();
  stopOnStrayErrors(action.name, cancellation, secrets);
  const outcome = await Promise.race([
    perform(action, secrets, cancellation),
    cancellation.expired.then(() => failed(unfinished(), action.name)),
    nothingLeftToDo().then(() => failed(new Error("it waits for what never comes"), action.name)),
  ]);
  const ending = judge(outcome, cancellation.signal);
  const told = tell(action, ending, secrets);
  return exit(told && ending.verdict === "passed" ? 0 : 1);
}

async function perform<I extends Inputs, Output extends string>(
  action: Action<I, Output>,
  secrets: Secrets,
  { signal, aftermath }: Cancellation,
): Promise<Outcome> {
  try {
    for (const secret of secretsAmong(action.inputs, process.env)) secrets.add(secret);
    const options = parseInputs(action.inputs, process.env, (text) => secrets.redact(text));
    withholdInputs();
    const useCase = await action.useCase();
    const log = runnerLog(secrets);
    signal.addEventListener("abort", () => {
      log.info(`Told to stop: up to ${AFTERMATH_MS / 1_000} s to put things right.`);
    });
    const environment = process.env;
    const world = { clock: systemClock, log, secrets, signal, aftermath, environment };
    return sound(await useCase(options, world));
  } catch (error) {
    return failed(signal.aborted ? brokenOff(error, signal.reason) : error, action.name);
  }
}

/** What a program inherits, it can leak; the inputs have been read by now. */
function withholdInputs(): void {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith("INPUT_")) delete process.env[name];
  }
}

/** Holds a use case to its promise where the compiler could not: no outcome is no proof. */
function sound(outcome: Outcome): Outcome {
  const { failure, outputs } = outcome;
  if (failure !== undefined && !(failure instanceof UserError)) throw failure;
  for (const value of Object.values(outputs)) asText(value);
  return outcome;
}

/** Errors that no promise chain of the use case carries: they stop it, and fail the step. */
function stopOnStrayErrors(action: string, cancellation: Cancellation, secrets: Secrets): void {
  const onStray = (error: unknown) => {
    // What breaks while things are put right must not cut that short.
    if (cancellation.signal.aborted) runnerLog(secrets).group("Also seen", [stackOf(error)]);
    else cancellation.stop(bugReport(error, action));
  };
  process.on("uncaughtException", onStray).on("unhandledRejection", onStray);
}

/** Resolves when nothing is left that could still end the use case: Node.js would just leave. */
function nothingLeftToDo(): Promise<void> {
  return new Promise((resolve) => {
    process.once("beforeExit", () => resolve());
  });
}

function failed(error: unknown, action: string): Outcome {
  return { outputs: {}, summary: "", failure: userErrorOf(error) ?? bugReport(error, action) };
}

/** A use case that was told to stop may end with any error: its work was broken off, no more. */
function brokenOff(error: unknown, reason: UserError): UserError {
  const own = userErrorOf(error);
  if (own !== undefined) return own;
  const { title, cause, remedy } = reason;
  const parts = { title, cause: `${cause} It broke off: ${describe(error)}.`, remedy };
  return new UserError(parts, { reason: error });
}

function userErrorOf(thrown: unknown): UserError | undefined {
  try {
    return thrown instanceof UserError ? thrown : undefined;
  } catch {
    // A proxy that does not even tell what it is.
    return undefined;
  }
}

function unfinished(): UserError {
  const seconds = AFTERMATH_MS / 1_000;
  return new UserError({
    title: "Cancelled, and not put right in time",
    cause: `The job was cancelled, and putting things right took longer than ${seconds} s.`,
    remedy: "The last lines of the log tell how far it came. Run the job again to heal it.",
  });
}

/** The word for an outcome. Whoever was told to stop has not passed, whatever came of it. */
function judge(outcome: Outcome, signal: AbortSignal): Ending {
  const { outputs, failure } = outcome;
  if (!signal.aborted) return { outcome, verdict: failure === undefined ? "passed" : "failed" };
  const reason: UserError = signal.reason;
  // A summary that came without a failure opens with the wrong verdict.
  const summary = failure === undefined ? "" : outcome.summary;
  return reason instanceof Cancelled
    ? { outcome: { outputs, summary, failure: failure ?? reason }, verdict: "cancelled" }
    : { outcome: { outputs, summary, failure: reason }, verdict: "failed" };
}

/** Tells the runner all it is to know. False when a part of it could not be told. */
function tell(
  action: { readonly name: string; readonly outputs: readonly string[] },
  { outcome, verdict }: Ending,
  secrets: Secrets,
): boolean {
  if (outcome.failure !== undefined) annotate(outcome.failure, secrets);
  const names = [...COMMON_OUTPUTS, ...action.outputs];
  const given: Readonly<Partial<Record<string, OutputValue>>> = {
    ...outcome.outputs,
    verdict,
    cause: plainLines(outcome.failure?.cause ?? "").join("\n"),
  };
  const outputsTold = attempt("The outputs could not be written", secrets, () => {
    writeOutputs(new Map(names.map((name) => [name, secrets.redact(asText(given[name]))])));
  });
  const pathTold = attempt("The PATH of later steps could not be extended", secrets, () => {
    writePath(outcome.path ?? []);
  });
  const summaryTold = attempt("The job summary could not be written", secrets, () => {
    writeSummary(secrets.redact(summaryOf(action.name, redacted(outcome, secrets))));
  });
  return outputsTold && pathTold && summaryTold;
}

function attempt(title: string, secrets: Secrets, write: () => void): boolean {
  try {
    write();
    return true;
  } catch (error) {
    const remedy = "Later steps cannot rely on it, so this one fails.";
    annotate(new UserError({ title, cause: `${describe(error)}.`, remedy }), secrets);
    return false;
  }
}

/** Text is redacted before Markdown spells it in its own way. */
function redacted(outcome: Outcome, secrets: Secrets): Outcome {
  if (outcome.failure === undefined) return outcome;
  const { title, cause, remedy, evidence } = outcome.failure;
  const failure = new UserError({
    title: secrets.redact(title),
    cause: secrets.redact(cause),
    remedy: secrets.redact(remedy),
    ...(evidence === undefined ? {} : { evidence: secrets.redact(evidence) }),
  });
  return { ...outcome, failure };
}

function asText(value: OutputValue | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

// GitHub shows ten errors a step, and drops the others.
const MOST_PLACES = 9;

function annotate(failure: UserError, secrets: Secrets): void {
  const { evidence, reason, each } = failure;
  const log = runnerLog(secrets);
  if (reason !== undefined) log.debug(stackOf(reason));
  if (evidence !== undefined) log.group("Evidence", [evidence]);
  for (const one of each.filter(({ at }) => at !== undefined).slice(0, MOST_PLACES)) {
    mark(one, secrets);
  }
  mark(failure, secrets);
}

function mark({ title, cause, remedy, at }: UserError, secrets: Secrets): void {
  const lines = (text: string) => printableLines(text, secrets);
  core.error(lines(`${cause}\n${remedy}`).join("\n"), {
    title: lines(title).join(" "),
    ...(at && { file: lines(at.file).join(" "), startLine: at.line }),
  });
}

/**
 * How to end the process: once what was printed has left it. Where anything else ends it, as a
 * library might, nothing was proved: that is told, and the exit status says it.
 */
function exitOnlyWithVerdict(tellOf: (error: Error) => void): (code: number) => Promise<never> {
  let asked = false;
  process.on("exit", () => {
    if (asked) return;
    tellOf(new Error("the process was ended from within, before there was a verdict"));
    process.exitCode = 1;
  });
  return (code) =>
    new Promise(() => {
      asked = true;
      process.stdout.write("", () => process.exit(code));
    });
}
