import type { Finding, Tier } from "../../proof/index.ts";
import { findingOf, type Problem } from "./problems.ts";

const NAME = String.raw`(?:"(?:[^"]|"")+"|[^\s"().;,]+)`;
const MADE = new RegExp(
  `^CREATE\\s+(?:OR\\s+REPLACE\\s+)?(?:(?:CAST|TRANSFORM\\s+FOR)\\s*(?<cast>\\([^)]*\\))|(?:FUNCTION|PROCEDURE|AGGREGATE|TYPE|OPERATOR\\s+(?:CLASS|FAMILY)|OPERATOR|FOREIGN\\s+TABLE|TEXT\\s+SEARCH\\s+\\w+|ACCESS\\s+METHOD|(?:TRUSTED\\s+)?(?:PROCEDURAL\\s+)?LANGUAGE|(?:UNIQUE\\s+)?INDEX|VIEW|MATERIALIZED\\s+VIEW|TRIGGER|(?:UNLOGGED\\s+)?TABLE)\\s+(?<name>${NAME}(?:\\.${NAME})?))`,
  "i",
);
/** Makes what may be refused to anybody but a superuser: by its language, its options, a file's name. */
const REFUSABLE = /^CREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE|FOREIGN\s+TABLE)\s/i;

/** What needs a superuser, with all that could not be made for want of it. */
export interface Refused {
  /** Each object, as the dump writes its name but without quotes, with the one that it stands on. */
  readonly objects: ReadonlyMap<string, string>;
  /** The object that needs a superuser behind each finding. */
  readonly findings: ReadonlyMap<Finding, string>;
}

/**
 * What was refused for want of a superuser, and what then could not be made upon it: for whoever
 * knows whether that was at the source.
 */
export class Refusals {
  readonly #objects = new Map<string, string>();
  readonly #found = new Map<Finding, string>();

  get all(): Refused {
    return { objects: this.#objects, findings: this.#found };
  }

  /** The finding that a problem is. */
  take(problem: Problem, tier: Tier): Finding {
    const finding = findingOf(problem, tier);
    if (finding.weight === "note") return finding;
    const { said, statement = "" } = problem;
    const made = madeBy(statement);
    const isRefused =
      finding.detector === "not-restored" ||
      (finding.detector === "hostile" && REFUSABLE.test(statement));
    const root = isRefused ? made : this.#rootOf(`${said} ${statement}`);
    if (root === undefined) return finding;
    if (made !== undefined) this.#objects.set(made, root);
    const told: Finding = isRefused
      ? finding
      : {
          ...finding,
          detector: "not-restored",
          weight: "doubt",
          what: `Not restored, for it stands on ${root}, which needs a superuser: ${said.replace(/\.$/, "")}.`,
        };
    this.#found.set(told, root);
    return told;
  }

  #rootOf(text: string): string | undefined {
    for (const [object, root] of this.#objects) if (mentions(text, object)) return root;
    return undefined;
  }
}

/** `s.intern` of CREATE FUNCTION s.intern(…), `(oid AS date)` of a cast. */
function madeBy(statement: string): string | undefined {
  const { cast, name } = MADE.exec(statement)?.groups ?? {};
  const made = cast ?? name;
  return made === undefined ? undefined : bare(made);
}

/** Whether a text names an object that is given without quotes. */
export function mentions(text: string, object: string): boolean {
  const plain = bare(text);
  for (let at = plain.indexOf(object); at >= 0; at = plain.indexOf(object, at + 1)) {
    const [before, after] = [plain[at - 1] ?? " ", plain[at + object.length] ?? " "];
    if (!/[\w$.]/.test(before) && !/[\w$]/.test(after)) return true;
  }
  return false;
}

function bare(text: string): string {
  return text.replaceAll('"', "").replace(/\s+/g, " ");
}
