import { FormatError, nearestName } from "../failure/index.ts";

/** The kinds of rules, by docker/metadata-action's names. */
export type RuleType = keyof typeof KINDS;

/** A rule that says how a tag is made. */
export interface TagRule {
  /** Where it stands, and what: `line 2 (type=sha)`. */
  readonly where: string;
  readonly type: RuleType;
  /** A word by itself: a tag as it is written, which is never made to fit. */
  readonly plain: boolean;
  /** The higher, the earlier in the list of tags. */
  readonly priority: number;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Something wrong with a rule, and where it stands. */
export interface RuleProblem {
  readonly where: string;
  readonly problem: string;
}

interface Kind {
  readonly priority: number;
  /** What it takes beside `COMMON`. */
  readonly takes: readonly string[];
  readonly needs?: readonly string[];
  readonly defaults?: Readonly<Record<string, string>>;
}

const COMMON = ["type", "enable", "priority", "prefix", "suffix"];

// Source: the documentation of docker/metadata-action, "tags input".
const KINDS = {
  schedule: { priority: 1_000, takes: ["pattern"], defaults: { pattern: "nightly" } },
  semver: { priority: 900, takes: ["pattern", "value", "match"], needs: ["pattern"] },
  pep440: { priority: 900, takes: ["pattern", "value", "match"], needs: ["pattern"] },
  match: { priority: 800, takes: ["pattern", "group", "value"], needs: ["pattern"] },
  edge: { priority: 700, takes: ["branch"] },
  ref: { priority: 600, takes: ["event"], needs: ["event"] },
  raw: { priority: 200, takes: ["value"], needs: ["value"] },
  sha: { priority: 100, takes: ["format"], defaults: { format: "short", prefix: "sha-" } },
} as const satisfies Readonly<Record<string, Kind>>;

const TYPES = Object.keys(KINDS) as readonly RuleType[];

/**
 * Reads tags as users write them: words separated by white space or commas, each a tag, and
 * docker/metadata-action's rules, one a line: `type=semver,pattern={{version}}`. A line with an
 * equals sign is a rule, for no tag has one. `#` begins a comment.
 */
export function readTagRules(text: string): {
  readonly rules: readonly TagRule[];
  readonly problems: readonly RuleProblem[];
} {
  const rules: TagRule[] = [];
  const problems: RuleProblem[] = [];
  const lines = text.split(/\r\n|\r|\n/);
  for (const [index, whole] of lines.entries()) {
    const line = withoutComment(whole).trim();
    if (line === "") continue;
    const where = lines.length === 1 ? line : `line ${index + 1} (${line})`;
    try {
      if (withoutExpressions(line).includes("=")) rules.push(readRule(line, where));
      else rules.push(...wordsOf(line).map((word) => plainTag(word, where)));
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      problems.push({ where, problem: error.message });
    }
  }
  return { rules, problems };
}

/** A rule that gives this very tag. */
export function plainTag(tag: string, where: string): TagRule {
  const { priority } = KINDS.raw;
  const plain = !tag.includes("{{");
  return { where, type: "raw", plain, priority, attributes: { value: tag } };
}

function readRule(line: string, where: string): TagRule {
  const given = attributesOf(/^"([^"]*)"$/.exec(line)?.[1] ?? line);
  const type = typeOf(given.type ?? "raw");
  const kind: Kind = KINDS[type];
  const takes = [...kind.takes, ...COMMON];
  for (const name of Object.keys(given)) {
    if (takes.includes(name)) continue;
    const near = nearestName(name, takes);
    throw new FormatError(
      `type=${type} takes no ${JSON.stringify(name)}; ${near === undefined ? `it takes ${takes.join(", ")}` : `did you mean ${near}?`}`,
    );
  }
  for (const name of kind.needs ?? []) {
    if (!given[name])
      throw new FormatError(`type=${type} needs ${name}=, and it is missing or empty`);
  }
  const attributes = { ...kind.defaults, ...given };
  if (type === "ref" && given.event === "pr") attributes.prefix ??= "pr-";
  checkChoices(attributes);
  const priority = Number(given.priority ?? kind.priority);
  return { where, type, plain: false, priority, attributes };
}

function typeOf(text: string): RuleType {
  const found = TYPES.find((type) => type === text);
  if (found !== undefined) return found;
  const near = nearestName(text, TYPES);
  const hint = near === undefined ? `there are ${TYPES.join(", ")}` : `did you mean ${near}?`;
  throw new FormatError(`there is no type ${JSON.stringify(text)}; ${hint}`);
}

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  event: ["branch", "tag", "pr"],
  format: ["short", "long"],
};

function checkChoices(attributes: Readonly<Record<string, string>>): void {
  for (const [name, choices] of Object.entries(CHOICES)) {
    const value = attributes[name];
    if (value !== undefined && !choices.includes(value)) {
      throw new FormatError(
        `${name} is one of ${choices.join(", ")}, not ${JSON.stringify(value)}`,
      );
    }
  }
  for (const name of ["priority", "group"]) {
    const value = attributes[name];
    if (value !== undefined && !/^-?\d{1,9}$/.test(value)) {
      throw new FormatError(`${name} is a whole number, not ${JSON.stringify(value)}`);
    }
  }
}

/**
 * Attributes of a line by their names. A part without an equals sign is the value.
 *
 * @throws {FormatError} for one that is given twice.
 */
export function attributesOf(line: string): Readonly<Record<string, string>> {
  const attributes: Record<string, string> = Object.create(null);
  for (const part of partsOf(line)) {
    const at = part.indexOf("=");
    const name = at < 0 ? "value" : part.slice(0, at).trim().toLowerCase();
    if (name in attributes) throw new FormatError(`${name}= is given twice`);
    attributes[name] = part.slice(at + 1).trim();
  }
  return { ...attributes };
}

/**
 * The parts between the commas of a line, as in CSV: a part in double quotes may have commas.
 * Between braces, as in `{{date 'D, M'}}` and `\d{1,3}`, a comma divides nothing either.
 */
function partsOf(line: string): string[] {
  const parts: string[] = [];
  let part = "";
  let [quoted, depth] = [false, 0];
  for (let at = 0; at < line.length; at += 1) {
    const letter = line[at] ?? "";
    if (quoted && letter === '"' && line[at + 1] === '"') {
      part += letter;
      at += 1;
    } else if (letter === '"' && (quoted || part.trim() === "")) {
      quoted = !quoted;
    } else if (letter === "," && !quoted && depth === 0) {
      parts.push(part);
      part = "";
    } else {
      depth = Math.max(0, depth + (letter === "{" ? 1 : letter === "}" ? -1 : 0));
      part += letter;
    }
  }
  if (quoted) throw new FormatError("a double quote is not closed");
  return [...parts, part].map((each) => each.trim()).filter((each) => each !== "");
}

/** The words of a line; an expression, which may have blanks in it, is not divided. */
function wordsOf(line: string): readonly string[] {
  return line.match(/(?:\{\{.*?\}\}|[^\s,])+/g) ?? [];
}

/** A `#` at the beginning or after white space begins a comment; in quotes it does not. */
function withoutComment(line: string): string {
  return line.replace(/^((?:"[^"]*"|[^"#]|(?<=\S)#)*)(?:(?<=^|\s)#.*)$/, "$1");
}

function withoutExpressions(line: string): string {
  return line.replace(/\{\{.*?\}\}/g, "");
}
