import { UserError } from "../../shared/failure/index.ts";
import type { ImageMap } from "../../shared/image-map/index.ts";
import { type CheckResult, excerpt, type Redact } from "../../shared/probe/index.ts";
import type { Report } from "./report.ts";

const MOST_CAUSES = 5;

/** Why the smoke test failed; undefined when every check passed. */
export function failureOf(results: readonly CheckResult[], redact: Redact): UserError | undefined {
  const open = results.filter(({ undecided }) => undecided).length;
  const failed = results.filter(({ passed, undecided }) => !passed && !undecided);
  const first = failed.find(({ last }) => last !== undefined) ?? failed[0];
  if (first === undefined) return undefined;
  const whole = first.last?.unanswered?.cause;
  const title =
    results.length === 1
      ? `${first.check.name} failed`
      : `${failed.length} of ${results.length} checks failed`;
  const evidence = evidenceOf(failed, redact);
  return new UserError(
    {
      title: whole instanceof UserError ? whole.title : title,
      cause: [...causesOf(failed), ...undecided(open)].join("\n"),
      remedy: whole instanceof UserError ? whole.remedy : remedyFor(first),
      ...(evidence === "" ? {} : { evidence }),
    },
    { reason: whole },
  );
}

/** The others had no more time than it took to be certain. */
function undecided(count: number): string[] {
  if (count === 0) return [];
  const others = count === 1 ? "1 other check" : `${count} other checks`;
  return [`${others} had not passed when this was certain, and got no more time.`];
}

/** One sentence for each different cause, with the checks that it struck. */
function causesOf(failed: readonly CheckResult[]): string[] {
  const groups = Map.groupBy(failed, (result) => whyNot(result));
  const sentences = [...groups].map(([why, [first, ...others]]) => {
    const and = others.length === 0 ? "" : ` and ${others.length} more`;
    return first === undefined ? "" : `${first.check.name}${and}: ${why} (${effort(first)}).`;
  });
  const more = sentences.length - MOST_CAUSES;
  return [...sentences.slice(0, MOST_CAUSES), ...(more > 0 ? [`And ${more} more.`] : [])];
}

/** What is wrong with the last answer, in one phrase. */
function whyNot({ last }: CheckResult): string {
  return last === undefined ? "it was not tried" : last.reasons.join("; ");
}

function effort({ attempts, to }: CheckResult): string {
  const times = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
  return `${times} in ${(to / 1_000).toFixed(1)} s`;
}

function evidenceOf(failed: readonly CheckResult[], redact: Redact): string {
  return failed
    .flatMap(({ check, last }) => {
      if (last?.reply === undefined) return [];
      const { brief, milliseconds, bytes, text, complete } = last.reply;
      const size = bytes === undefined ? "" : `, ${bytes} bytes`;
      const rest = complete === false ? " read, the rest not" : "";
      const head = `${check.name}: ${brief} in ${Math.round(milliseconds)} ms${size}${rest}`;
      return [`${head}\n${excerpt(text, redact)}`.trimEnd()];
    })
    .slice(0, MOST_CAUSES)
    .join("\n\n");
}

/**
 * That no answering pod runs any image of the digest map: every check passed, and the new version
 * is proved nowhere.
 */
export function unprovedImages(
  { proofs }: Report,
  images: ImageMap | undefined,
): UserError | undefined {
  if (images === undefined || proofs.some(({ verdict }) => verdict === "proved")) return undefined;
  const seen = new Set(proofs.flatMap((proof) => proof.images.map(({ repository }) => repository)));
  const wanted = new Set(Object.values(images).map(({ repository }) => repository));
  return new UserError({
    title: "No answer is proved to come from the new images",
    cause: `The checks passed, but no pod that answered runs an image of the digest map (${[...wanted].join(", ")}); they run ${[...seen].join(", ") || "nothing that is known"}.`,
    remedy:
      "Check that the Service leads to the workload that was deployed, or leave out the input images.",
  });
}

const BY_TROUBLE: Readonly<Record<string, string>> = {
  name: "Check the spelling of the host; a new record may need more time to be known everywhere.",
  refused: "Check the port, and that the server is up and listens on more than its loopback.",
  unreachable: "Check the route and the firewall between the runner and the host.",
  timeout: "See in the server's log whether the request arrived, or raise `request-timeout`.",
  certificate:
    "Install a certificate that is valid for this host, give the authority that signed it by the input `ca`, or the name that it holds by `server-name`.",
  "not-tls": "Check the port, or leave TLS out (http://, or `tls: false`) if it speaks none.",
  "not-http": "Check the port: another protocol, or TLS where none is expected, answers there.",
  proxy: "Check the job's HTTPS_PROXY and its credentials, or add the host to NO_PROXY.",
  redirect: "Check where the path redirects to, or ask for its destination directly.",
  command:
    "Check the program's name, and that the container's image has it: small images have no shell.",
};

/** What to do next, by what the first failed check showed. */
function remedyFor({ check, last }: CheckResult): string {
  const reply = last?.reply;
  if (check.kind === "exec" && last?.unanswered?.trouble === "timeout") {
    return "See in the pod what the command waits for, or raise `request-timeout`.";
  }
  const trouble = BY_TROUBLE[last?.unanswered?.trouble ?? ""];
  if (trouble !== undefined) return trouble;
  if (reply === undefined) {
    return "Look at the server's log for the time of the last attempt, then run again.";
  }
  const reasons = last?.reasons.join("; ") ?? "";
  if (/ answered, (whose|which) /.test(reasons)) {
    return "Wait for the rollout first (rollout-wait), and check that the Service selects the new pods only.";
  }
  if (reply.reasons.length === 0) return "See what slows the service down, or raise the limit.";
  if (check.kind === "exec") return "Read what the command wrote below, and the log of its pod.";
  if (check.kind === "grpc")
    return "Look at the log of the server: it answered, and not as it should.";
  if (check.kind === "tcp")
    return "Compare what the server said below with what the check expects.";
  return remedyForStatus(reply.status ?? 0, reasons);
}

function remedyForStatus(status: number, reasons: string): string {
  if (!/the status is \d+, expected/.test(reasons)) {
    return "Compare the answer below with what the check expects.";
  }
  if (status === 401 || status === 403) return "Give credentials by the input `headers`.";
  if (status === 404) return "Check the path; the deployed version may not have this route.";
  if (status >= 300 && status < 400) {
    return "Ask for the destination directly, expect this status, or set `follow-redirects: true`.";
  }
  if (status === 400)
    return "Read its answer below; a server that wants HTTPS answers so too: set `tls: true`.";
  if (status >= 500) return "Look at the log of the server: it answered that it failed.";
  return "Compare the answer below with what the check expects.";
}
