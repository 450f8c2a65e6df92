import { type JunitCase, junitDocument } from "../junit/index.ts";
import type { Finding, Item } from "./finding.ts";
import { byWeight } from "./verdict.ts";
import type { Verification } from "./verification.ts";

/**
 * A verification as JUnit XML: a case for the tier, one for each finding that speaks against the
 * backup, and one for each item that was compared and is as it was.
 */
export function junit(verification: Verification): string {
  const { name, backup, items, phases } = verification;
  const against = byWeight(verification.findings).filter(({ weight }) => weight !== "note");
  const sound = items.filter(({ same }) => same === true);
  const seconds = Math.max(0, ...phases.map(({ to }) => to)) / 1_000;
  const cases = [tierCase(verification), ...against.map(findingCase), ...sound.map(itemCase)];
  return junitDocument("verify-backup", seconds, [{ name: `${name} ${backup}`, seconds, cases }]);
}

function tierCase({ tier, reached }: Verification): JunitCase {
  const head = { name: `reached ${tier}`, className: "verify-backup.tier", seconds: 0 };
  if (reached === tier) return head;
  const message = `It was looked at only as far as ${reached}.`;
  return { ...head, failure: { message, type: "tier", words: message } };
}

function findingCase({ detector, subject, tier, weight, what }: Finding): JunitCase {
  const className = `verify-backup.${tier}.${detector}`;
  return {
    ...{ name: subject, className, seconds: 0 },
    failure: { message: what, type: weight, words: what },
  };
}

function itemCase({ name }: Item): JunitCase {
  return { name, className: "verify-backup.data.contents", seconds: 0 };
}
