import { load } from "js-yaml";
import { describe, nearestName } from "../failure/index.ts";
import { amountOf, bytesInWords } from "../quantity/index.ts";
import { type Field, Rejection } from "./field.ts";

interface Common {
  /** Completes the sentence "accepted is ..."; each kind of field has words of its own. */
  readonly accepts?: string;
  /** Hide the whole value in every log, report and output. */
  readonly secret?: boolean;
  /** Hide only these parts of the value. */
  readonly secretsIn?: (raw: string) => readonly string[];
}

interface Required extends Common {
  readonly required: true;
}

interface Defaulted extends Common {
  readonly default: string;
}

type Presence = Common | Required | Defaulted;

/** T where the input is always there, T or undefined where it may be left out. */
type Present<P, T> = P extends Required | Defaulted ? T : T | undefined;

function field<P extends Presence, T>(
  presence: P,
  accepts: string,
  parse: (raw: string) => T,
): Field<Present<P, T>> {
  const whole = presence.secret === true;
  return {
    required: "required" in presence,
    default: "default" in presence ? presence.default : undefined,
    accepts: presence.accepts ?? accepts,
    secretsIn: presence.secretsIn ?? ((raw) => (whole ? [raw] : [])),
    parse: parse as (raw: string) => Present<P, T>,
  };
}

/** Any text, or text of one form. */
export function text<P extends Presence>(presence: P, form?: RegExp): Field<Present<P, string>> {
  const accepts = form === undefined ? "any text" : `text of the form ${form.source}`;
  return field(presence, accepts, (raw) => {
    if (form !== undefined && !has(raw, form)) throw new Rejection("it has another form");
    return raw;
  });
}

/** `search` starts at the beginning whatever flags the form has; `test` may go on from where it was. */
function has(raw: string, form: RegExp): boolean {
  return raw.search(form) >= 0;
}

/** One of a few words. */
export function choice<const C extends string, P extends Presence>(
  choices: readonly C[],
  presence: P,
): Field<Present<P, C>> {
  return field(presence, `one of ${choices.join(", ")}`, (raw) => {
    const found = choices.find((word) => word === raw);
    if (found !== undefined) return found;
    const near = nearestName(raw, choices);
    throw new Rejection(near === undefined ? "it is none of them" : `did you mean ${near}?`);
  });
}

/** A truth value as YAML 1.2 writes it, which is what @actions/core reads too. */
export function flag<P extends Presence>(presence: P): Field<Present<P, boolean>> {
  return field(presence, "true or false", (raw) => {
    if (/^(true|True|TRUE)$/.test(raw)) return true;
    if (/^(false|False|FALSE)$/.test(raw)) return false;
    throw new Rejection("it is neither");
  });
}

/** A whole number within bounds, both included. */
export function integer<P extends Presence>(
  bounds: { readonly min: number; readonly max: number },
  presence: P,
): Field<Present<P, number>> {
  const { min, max } = bounds;
  return field(presence, `a whole number from ${min} to ${max}`, (raw) => {
    if (!/^[+-]?\d+$/.test(raw)) throw new Rejection("it is not a whole number");
    const value = Number(raw);
    if (value < min || value > max) throw new Rejection("it is out of bounds");
    return value;
  });
}

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A length of time (`90s`, `5m`, `1h30m`, `500ms`, `30d`), as milliseconds. */
export function duration<P extends Presence>(
  bounds: { readonly min: number; readonly max: number },
  presence: P,
): Field<Present<P, number>> {
  const words = `a duration such as 90s, 5m or 1h30m, from ${spell(bounds.min)} to ${spell(bounds.max)}`;
  return field(presence, words, (raw) => {
    if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(raw)) {
      throw new Rejection(/^\d+$/.test(raw) ? "the unit is missing" : "it is not a duration");
    }
    const parts = raw.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g);
    const total = parts.reduce(
      (sum, [, n, u]) => sum + Number(n) * UNITS[u as keyof typeof UNITS],
      0,
    );
    if (total < bounds.min || total > bounds.max) throw new Rejection("it is out of bounds");
    return Math.round(total);
  });
}

/** A size in bytes, in the words of Kubernetes: `500M`, `2Gi`. */
export function bytes<P extends Presence>(
  bounds: { readonly min: number; readonly max: number },
  presence: P,
): Field<Present<P, number>> {
  const words = `a size such as 500M or 2Gi, from ${bytesInWords(bounds.min)} to ${bytesInWords(bounds.max)}`;
  return field(presence, words, (raw) => {
    if (!/^\d+(\.\d+)?([kMGTPE]|[KMGTPE]i)?$/.test(raw)) throw new Rejection("it is not a size");
    const size = Math.round(amountOf(raw) ?? 0);
    if (size < bounds.min || size > bounds.max) throw new Rejection("it is out of bounds");
    return size;
  });
}

function spell(milliseconds: number): string {
  if (milliseconds === 0) return "0s";
  const unit =
    (["d", "h", "m", "s"] as const).find((name) => milliseconds % UNITS[name] === 0) ?? "ms";
  return `${milliseconds / UNITS[unit]}${unit}`;
}

/** Several texts: one a line, or separated by commas within a line. Blank ones are dropped. */
export function list<P extends Presence>(
  presence: P,
  form?: RegExp,
): Field<Present<P, readonly string[]>> {
  return separated(/[\r\n,]+/, "texts, one a line or separated by commas", presence, form);
}

/** Several texts without white space in them, separated by white space or commas. */
export function words<P extends Presence>(
  presence: P,
  form?: RegExp,
): Field<Present<P, readonly string[]>> {
  return separated(/[\s,]+/, "words, separated by white space or commas", presence, form);
}

function separated<P extends Presence>(
  separator: RegExp,
  accepts: string,
  presence: P,
  form: RegExp | undefined,
): Field<Present<P, readonly string[]>> {
  return field(presence, accepts, (raw) => {
    const items = raw
      .split(separator)
      .map((item) => item.trim())
      .filter((item) => item !== "");
    if (items.length === 0 && raw !== "") throw new Rejection("it names nothing");
    const wrong = form === undefined ? [] : items.filter((item) => !has(item, form));
    if (wrong.length > 0) throw new Rejection(`the form is another in ${quoted(wrong)}`);
    return items;
  });
}

/** The first few of the texts, each once. */
function quoted(texts: readonly string[]): string {
  const different = [...new Set(texts)].map((text) => JSON.stringify(text));
  const rest = different.length > 5 ? `, and ${different.length - 5} more` : "";
  return `${different.slice(0, 5).join(", ")}${rest}`;
}

/** What action.yml has for its default, and the runner puts the job's token in place of. */
const JOB_TOKEN = `\${{ github.token }}`;

/** The job's own token, unless another is given; undefined where there is none. */
export function jobToken(accepts: string): Field<string | undefined> {
  const isToken = (raw: string) => raw !== "" && raw !== JOB_TOKEN;
  return {
    required: false,
    default: JOB_TOKEN,
    accepts,
    secretsIn: (raw) => (isToken(raw) ? [raw] : []),
    parse: (raw) => (isToken(raw) ? raw : undefined),
  };
}

/** `NAME=value` lines; a value may hold further equals signs. */
export function pairs<P extends Presence>(
  presence: P,
): Field<Present<P, Readonly<Record<string, string>>>> {
  return field(presence, "lines of the form NAME=value", (raw) => {
    const lines = raw.split(/\r\n|\r|\n/).filter((line) => line.trim() !== "");
    const entries = lines.map((line): [string, string] => {
      const at = line.indexOf("=");
      return [line.slice(0, Math.max(at, 0)).trim(), line.slice(at + 1).trim()];
    });
    const wrong = lines.filter((_, index) => entries[index]?.[0] === "");
    if (wrong.length > 0) throw new Rejection(`NAME= is missing in ${quoted(wrong)}`);
    const names = entries.map(([name]) => name);
    const repeated = names.filter((name, index) => names.indexOf(name) < index);
    if (repeated.length > 0) throw new Rejection(`given more than once: ${quoted(repeated)}`);
    return Object.fromEntries(entries);
  });
}

/**
 * What structured data is held to. Any schema of zod is one; an action whose start must be quick
 * writes its own, for loading zod alone takes longer than the rest of a failed run.
 */
export interface Schema<T> {
  /** Its messages repeat names and places, never a value: they may be shown beside secrets. */
  readonly quotesNoValues?: boolean;
  safeParse(
    value: unknown,
  ):
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: { readonly issues: readonly SchemaIssue[] } };
}

interface SchemaIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Structured data as YAML, of which JSON is a part, held to a schema. */
export function yaml<P extends Presence, T>(schema: Schema<T>, presence: P): Field<Present<P, T>> {
  return field(presence, "YAML or JSON", (raw) => {
    const result = schema.safeParse(loadYaml(raw));
    if (result.success) return result.data;
    const issues = result.error.issues.map(({ path, message }) => {
      const where = path.map(String).join(", ");
      return where === "" ? message : `${where}: ${message}`;
    });
    throw new Rejection(issues.join("; "), { quotesNoSecret: schema.quotesNoValues ?? false });
  });
}

function loadYaml(raw: string): unknown {
  try {
    return load(raw);
  } catch (error) {
    throw new Rejection(`it cannot be read: ${describe(error).split("\n")[0]}`);
  }
}
