import { Cancelled, type Outcome } from "../../shared/action/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import {
  type CheckResult,
  openClient,
  type Pace,
  prove,
  type Target,
  urlTarget,
} from "../../shared/http/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options, OutputName } from "./inputs.ts";
import { checksOf, type Subject, subjectOf } from "./plan.ts";
import { reportOf } from "./report.ts";
import type { ServiceTarget } from "./service-target.ts";
import { storyTeller } from "./story.ts";
import { summaryOf } from "./summary.ts";
import { failureOf } from "./verdict.ts";

/**
 * Asks a URL or a Service the questions that the checks hold, again and again until each has its
 * answer or the time is over, and tells what came back. Changes nothing but what the requests
 * themselves change.
 *
 * @throws {UserError} when it is not clear what to check, or there is no cluster to talk to.
 */
export async function smokeTest(options: Options, world: World): Promise<Outcome<OutputName>> {
  const { clock, log, secrets, signal } = world;
  const redact = (text: string) => secrets.redact(text);
  const began = clock.now();
  const checks = checksOf(options);
  const target = await open(subjectOf(options), options, world);
  hideProxyPasswords(world);
  const client = await openClient(world.environment);
  const pace: Pace = {
    timeout: options.timeout,
    interval: options.interval,
    requestTimeout: options.requestTimeout,
  };
  log.info(`${checks.length === 1 ? "1 check" : `${checks.length} checks`} of ${nameOf(target)}`);
  try {
    const onAttempt = storyTeller(log, pace);
    const means = { client, clock, signal, redact, onAttempt };
    const results = await prove(checks, target, pace, means);
    const about = {
      target: redact(nameOf(target)),
      seconds: Math.round(clock.now() - began) / 1_000,
      pods: "pods" in target ? target.pods : [],
    };
    const report = reportOf(results, about, redact);
    const failure = signal.aborted ? cancelled(results, signal) : failureOf(results, redact);
    const outputs = { report, seconds: report.seconds };
    return { outputs, summary: summaryOf(report, failure), failure };
  } finally {
    await Promise.all([client.close(), target.close()]);
  }
}

/** The Kubernetes client is loaded only where it is needed: it takes longer than a request. */
async function open(
  subject: Subject,
  options: Options,
  world: World,
): Promise<Target | ServiceTarget> {
  if (subject.kind === "url") return urlTarget(subject.url);
  const [{ connect }, { serviceTarget }] = await Promise.all([
    import("../../shared/kubernetes/index.ts"),
    import("./service-target.ts"),
  ]);
  const cluster = await connect(options, world);
  const { service } = subject;
  const namespace = service.namespace ?? cluster.namespace;
  return serviceTarget(cluster, { ...service, namespace }, world);
}

function nameOf({ base }: Target): string {
  return base.href.replace(/\/$/, "");
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
  return new UserError({
    title: "Cancelled",
    cause: `${cause} ${passed} of ${results.length} checks had passed; the others are not decided.`,
    remedy: "Nothing is left behind. Run the job again.",
  });
}
