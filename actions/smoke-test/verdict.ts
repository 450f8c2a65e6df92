import { UserError } from "../../shared/failure/index.ts";
import { type CheckResult, excerpt, type Redact } from "../../shared/http/index.ts";

const MOST_CAUSES = 5;

/** Why the smoke test failed; undefined when every check passed. */
export function failureOf(results: readonly CheckResult[], redact: Redact): UserError | undefined {
  const failed = results.filter(({ passed }) => !passed);
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
      cause: causesOf(failed).join("\n"),
      remedy: whole instanceof UserError ? whole.remedy : remedyFor(first),
      ...(evidence === "" ? {} : { evidence }),
    },
    { reason: whole },
  );
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

function effort({ attempts, milliseconds }: CheckResult): string {
  const times = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
  return `${times} in ${(milliseconds / 1_000).toFixed(1)} s`;
}

function evidenceOf(failed: readonly CheckResult[], redact: Redact): string {
  return failed
    .flatMap(({ check, last }) => {
      if (last?.answer === undefined) return [];
      const { status, milliseconds, bodyBytes, body, complete } = last.answer;
      const head = `${check.name}: ${status} in ${Math.round(milliseconds)} ms, ${bodyBytes} bytes${complete ? "" : " read, the rest not"}`;
      return [`${head}\n${excerpt(body, redact)}`.trimEnd()];
    })
    .slice(0, MOST_CAUSES)
    .join("\n\n");
}

/** What to do next, by what the first failed check showed. */
function remedyFor({ check, last }: CheckResult): string {
  const status = last?.answer?.status;
  if (status !== undefined) return remedyForStatus(status, check.expectation.status);
  const byTrouble: Readonly<Record<string, string>> = {
    name: "Check the spelling of the host; a new record may need more time to be known everywhere.",
    refused: "Check the port, and that the server is up and listens on more than its loopback.",
    unreachable: "Check the route and the firewall between the runner and the host.",
    timeout: "See in the server's log whether the request arrived, or raise `request-timeout`.",
    certificate:
      "Install a certificate that is valid for this host; for a CA of your own set NODE_EXTRA_CA_CERTS in the job's environment.",
    "not-tls": "Check the port, or write http:// if it speaks no TLS.",
    proxy: "Check the job's HTTPS_PROXY and its credentials, or add the host to NO_PROXY.",
    redirect: "Check where the path redirects to, or ask for its destination directly.",
  };
  return (
    byTrouble[last?.unanswered?.trouble ?? ""] ??
    "Look at the server's log for the time of the last attempt, then run again."
  );
}

function remedyForStatus(
  status: number,
  expected: readonly { from: number; to: number }[],
): string {
  const unexpected = !expected.some(({ from, to }) => status >= from && status <= to);
  if (!unexpected) return "Compare the answer below with what the check expects.";
  if (status === 401 || status === 403) return "Give credentials by the input `headers`.";
  if (status === 404) return "Check the path; the deployed version may not have this route.";
  if (status >= 300 && status < 400) {
    return "Ask for the destination directly, expect this status, or set `follow-redirects: true`.";
  }
  if (status >= 500) return "Look at the log of the server: it answered that it failed.";
  return "Compare the answer below with what the check expects.";
}
