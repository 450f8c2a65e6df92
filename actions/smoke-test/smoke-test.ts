import { Cancelled, type Outcome } from "../../shared/action/index.ts";
import { describe, UserError } from "../../shared/failure/index.ts";
import { withImagesOfFile } from "../../shared/image-map/index.ts";
import { type CheckResult, prove } from "../../shared/probe/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options, OutputName } from "./inputs.ts";
import { type JunitFile, openJunit } from "./junit.ts";
import { openChecks } from "./open-checks.ts";
import { planOf } from "./plan.ts";
import { readTrust } from "./read-trust.ts";
import { type Report, reportOf } from "./report.ts";
import { storyTeller } from "./story.ts";
import { summaryOf } from "./summary.ts";
import { failureOf, unprovedImages } from "./verdict.ts";

/**
 * Asks URLs, Services and pods the questions that the checks hold, again and again until each has
 * its answer or the time is over, and tells what came back. Changes nothing but what the requests
 * and commands themselves change.
 *
 * @throws {UserError} when it is not clear what to check, or there is no cluster to talk to.
 */
export async function smokeTest(given: Options, world: World): Promise<Outcome<OutputName>> {
  const { clock, log, secrets, signal, environment } = world;
  const redact = (text: string) => secrets.redact(text);
  const began = clock.now();
  hideProxyPasswords(world);
  const options = await withImagesOfFile(given, environment.GITHUB_WORKSPACE ?? "");
  const plans = planOf(options);
  const trust = await readTrust(options, world);
  const junit = await openReport(options, world);
  const opened = await openChecks(plans, options, trust, world);
  try {
    const { checks } = opened;
    const names = [...new Set(checks.map(({ target }) => target.name))].join(", ");
    log.info(`${checks.length === 1 ? "1 check" : `${checks.length} checks`} of ${names}`);
    const { timeout } = options;
    const means = { clock, timeout, signal, redact, onAttempt: storyTeller(log) };
    const results = await prove(checks, means);
    const seconds = Math.round(clock.now() - began) / 1_000;
    const proofs = opened.cluster?.proofs() ?? [];
    const report = reportOf(results, { seconds, proofs }, redact);
    const failure = signal.aborted
      ? cancelled(results, signal)
      : (failureOf(results, redact) ?? unproved(report, options, world));
    return await outcomeOf({ ...report, passed: failure === undefined }, failure, junit, options);
  } finally {
    await opened.close();
  }
}

/** What is wrong, or only said, where the checks passed and no new image is proved. */
function unproved(report: Report, { images, requireImages }: Options, { log }: World) {
  const failure = unprovedImages(report, images);
  if (failure === undefined || requireImages) return failure;
  log.info(`Not checked: which image answers. ${failure.cause}`);
  return undefined;
}

async function openReport({ junit }: Options, { environment }: World) {
  if (junit === undefined) return undefined;
  return openJunit(junit, environment.GITHUB_WORKSPACE ?? process.cwd());
}

async function outcomeOf(
  report: Report,
  failure: UserError | undefined,
  junit: JunitFile | undefined,
  { insecure }: Options,
): Promise<Outcome<OutputName>> {
  const unwritten = await written(report, junit);
  return {
    outputs: {
      report,
      junit: unwritten === undefined ? (junit?.path ?? "") : "",
      seconds: report.seconds,
    },
    summary: summaryOf(report, failure, { insecure }),
    failure: failure ?? unwritten,
  };
}

/** Why the JUnit report could not be written, though its file could be opened. */
async function written(
  report: Report,
  junit: JunitFile | undefined,
): Promise<UserError | undefined> {
  try {
    await junit?.write(report);
    return undefined;
  } catch (error) {
    const cause = `${junit?.path} was not written: ${describe(error)}.`;
    const remedy =
      "See whether the disk is full; the checks themselves are told in the output report.";
    return new UserError(
      { title: "The JUnit report was not written", cause, remedy },
      { reason: error },
    );
  }
}

/** A proxy's password stands in its URL, which errors may quote. */
function hideProxyPasswords({ environment, secrets }: World): void {
  for (const name of ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"]) {
    const password = URL.parse(environment[name] ?? "")?.password;
    if (password) secrets.add(decodeURIComponent(password));
  }
}

function cancelled(results: readonly CheckResult[], signal: AbortSignal): UserError {
  const passed = results.filter((result) => result.passed).length;
  const cause = signal.reason instanceof Cancelled ? signal.reason.cause : "The job was cancelled.";
  const commands = results.some(({ check, passed: done }) => check.kind === "exec" && !done);
  const left = commands
    ? "A command that was under way may still run in its pod; nothing else is left behind."
    : "Nothing is left behind.";
  return new UserError({
    title: "Cancelled",
    cause: `${cause} ${passed} of ${results.length} checks had passed; the others are not decided.`,
    remedy: `${left} Run the job again.`,
  });
}
