import { FormatError, nearestName } from "../failure/index.ts";
import { attributesOf, type RuleProblem } from "./rule.ts";

/** What holds for all tags of a run. */
export interface Flavor {
  /** Whether the tag `latest` is made too; `auto`: for the release that the first tag stands for. */
  readonly latest: "auto" | "true" | "false";
  readonly prefix: Affix;
  readonly suffix: Affix;
}

/** A text before or after each tag that has none of its own. */
interface Affix {
  readonly text: string;
  /** Whether `latest` gets it too. */
  readonly onLatest: boolean;
}

const NAMES = ["latest", "prefix", "suffix"] as const;

/** Reads lines of `latest=auto|true|false`, `prefix=TEXT` and `suffix=TEXT,onlatest=true`. */
export function readFlavor(text: string): {
  readonly flavor: Flavor;
  readonly problems: readonly RuleProblem[];
} {
  const none = { text: "", onLatest: false };
  let flavor: Flavor = { latest: "auto", prefix: none, suffix: none };
  const problems: RuleProblem[] = [];
  for (const [index, whole] of text.split(/\r\n|\r|\n/).entries()) {
    const line = whole.replace(/(^|\s)#.*$/, "").trim();
    if (line === "") continue;
    try {
      flavor = { ...flavor, ...readLine(line) };
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      problems.push({ where: `line ${index + 1} (${line})`, problem: error.message });
    }
  }
  return { flavor, problems };
}

function readLine(line: string): Partial<Flavor> {
  const { onlatest = "false", ...given } = attributesOf(line);
  if (!/^(true|false)$/i.test(onlatest)) {
    throw new FormatError(`onlatest is true or false, not ${JSON.stringify(onlatest)}`);
  }
  const entries = Object.entries(given).map(([name, text]) => {
    const known = NAMES.find((each) => each === name);
    if (known === undefined) {
      const near = nearestName(name, NAMES);
      const hint = near === undefined ? `there are ${NAMES.join(", ")}` : `did you mean ${near}?`;
      throw new FormatError(`there is no ${JSON.stringify(name)}; ${hint}`);
    }
    if (known !== "latest") {
      return [known, { text, onLatest: onlatest.toLowerCase() === "true" }];
    }
    if (!/^(auto|true|false)$/.test(text)) {
      throw new FormatError(`latest is auto, true or false, not ${JSON.stringify(text)}`);
    }
    return [known, text];
  });
  return Object.fromEntries(entries);
}
