import * as core from "@actions/core";
import { UserError } from "../failure/index.ts";
import { Secrets } from "../secrets/index.ts";
import { systemClock, type World } from "../world/index.ts";
import {
  AFTERMATH_MS,
  type Cancellation,
  Cancelled,
  listenForCancellation,
} from "./cancellation.ts";
import { bugReport, failureSummary } from "./failure-summary.ts";
import { type Inputs, type OptionsOf, parseInputs, secretsAmong } from "./inputs.ts";
import { COMMON_OUTPUTS, type Outcome, type OutputValue, type Verdict } from "./outcome.ts";
import { runnerLog } from "./runner-log.ts";
import { safeLines } from "./safe-line.ts";
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

/**
 * Runs an action as the runner expects it: inputs parsed, secrets masked before the first line,
 * the use case run under cancellation, outputs and the job summary written on every path, and
 * the exit status set. Never rejects; ends the process.
 */
export async function run<I extends Inputs, Output extends string>(
  action: Action<I, Output>,
): Promise<never> {
  const secrets = new Secrets((value) => core.setSecret(value));
  using cancellation = listenForCancellation();
  const late = lateErrors();
  const outcome = await Promise.race([
    perform(action, secrets, cancellation),
    late.then((error) => failed(error, action.name)),
    cancellation.expired.then(() => unfinished()),
  ]);
  const cancelled = cancellation.signal.aborted;
  await tell(action, outcome, cancelled ? "cancelled" : verdictOf(outcome), secrets);
  return exit(outcome.failure === undefined && !cancelled ? 0 : 1);
}

async function perform<I extends Inputs, Output extends string>(
  action: Action<I, Output>,
  secrets: Secrets,
  cancellation: Cancellation,
): Promise<Outcome<Output>> {
  try {
    for (const secret of secretsAmong(action.inputs, process.env)) secrets.add(secret);
    const options = parseInputs(action.inputs, process.env);
    const useCase = await action.useCase();
    const { signal, aftermath } = cancellation;
    const log = runnerLog(secrets);
    signal.addEventListener("abort", () => {
      log.info(`Cancelled: up to ${AFTERMATH_MS / 1_000} s to put things right.`);
    });
    const world: World = {
      clock: systemClock,
      log,
      secrets,
      signal,
      aftermath,
      environment: process.env,
    };
    return await useCase(options, world);
  } catch (error) {
    return failed(error, action.name);
  }
}

/** Errors that no promise chain of the use case carries: they must fail the step all the same. */
function lateErrors(): Promise<unknown> {
  return new Promise((resolve) => {
    process.on("uncaughtException", resolve).on("unhandledRejection", resolve);
  });
}

function failed(error: unknown, action: string): Outcome<never> {
  const failure = error instanceof UserError ? error : bugReport(error, action);
  return { outputs: {}, summary: "", failure };
}

function unfinished(): Outcome<never> {
  const seconds = AFTERMATH_MS / 1_000;
  return failed(
    new UserError({
      title: "Cancelled, and not put right in time",
      cause: `The job was cancelled, and putting things right took longer than ${seconds} s.`,
      remedy: "The last lines of the log tell how far it came. Run the job again to heal it.",
    }),
    "",
  );
}

function verdictOf(outcome: Outcome): Verdict {
  return outcome.failure === undefined ? "passed" : "failed";
}

async function tell(
  action: { readonly name: string; readonly outputs: readonly string[] },
  outcome: Outcome,
  verdict: Verdict,
  secrets: Secrets,
): Promise<void> {
  const { failure } = outcome;
  const given: Readonly<Partial<Record<string, OutputValue>>> = {
    ...outcome.outputs,
    verdict,
    cause: failure?.cause ?? (verdict === "cancelled" ? new Cancelled("signal").cause : ""),
  };
  for (const name of [...COMMON_OUTPUTS, ...action.outputs]) {
    core.setOutput(name, secrets.redact(asText(given[name])));
  }
  if (failure !== undefined) annotate(failure, secrets);
  const summary =
    outcome.summary === "" && failure !== undefined
      ? failureSummary(action.name, failure)
      : outcome.summary;
  await writeSummary(secrets.redact(summary));
}

function asText(value: OutputValue | undefined): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function annotate(failure: UserError, secrets: Secrets): void {
  const printable = (text: string) => safeLines(secrets.redact(text)).join("\n");
  if (failure.evidence !== undefined) runnerLog(secrets).group("Evidence", [failure.evidence]);
  const message = `${failure.cause}\n${failure.remedy}`;
  const place = failure.at && { file: failure.at.file, startLine: failure.at.line };
  core.error(printable(message), { title: printable(failure.title), ...place });
}

/** Ends the process once what was printed has left it. */
function exit(code: number): Promise<never> {
  return new Promise(() => {
    process.stdout.write("", () => process.exit(code));
  });
}
