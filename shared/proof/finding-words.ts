import type { Finding } from "./finding.ts";

const LONGEST = 120;

/** What was found as a sentence, with what was expected where the sentence itself does not say. */
export function findingInWords({ what, expected, found }: Finding): string {
  if (expected === undefined || found === undefined) return what;
  const facts = [expected, found].map((fact) => fact.replace(/ .*$/s, ""));
  const isTold =
    facts.some((fact) => what.includes(fact)) || expected.length + found.length > LONGEST;
  return isTold ? what : `${what.replace(/\.$/, "")}: expected ${expected}, found ${found}.`;
}
