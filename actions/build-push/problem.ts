import { type Place, UserError } from "../../shared/failure/index.ts";

/** One thing that is wrong with what was asked, and where: `services.1 (api): context`. */
export interface Problem {
  readonly where: string;
  readonly problem: string;
  /** The line of the user's file, where there is one. */
  readonly at?: Place | undefined;
}

const LONGEST_QUOTE = 120;

/** A text of the user's within a sentence, on one line and not too long. */
export function quoted(text: string): string {
  const { length } = text;
  return JSON.stringify(length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text);
}

/** Each problem once: two rules may find the same. */
export function different(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Set<string>();
  return problems.filter(({ where, problem }) => {
    const text = `${where}: ${problem}`;
    if (seen.has(text)) return false;
    seen.add(text);
    return true;
  });
}

/**
 * The failure of a step that did nothing, for all that is wrong with what was asked. Where several
 * lines of files are meant, each of them is annotated with its own part.
 */
export function wrongInputs(problems: readonly Problem[]): UserError {
  const told = different(problems);
  const lines = told.map(({ where, problem }) => sentence(where, problem));
  const places = byPlace(told);
  const [first] = places;
  const where =
    first === undefined ? "the step's `with:`" : `${first.at.file} or the step's \`with:\``;
  const remedy = `Correct ${where} and run again; nothing was built or pushed.`;
  const title = titleFor(lines);
  const whole = { title, cause: lines.join("\n"), remedy };
  if (places.length < 2) return new UserError({ ...whole, at: first?.at });
  const each = places.map((place) => {
    return new UserError({
      title: titleFor(place.lines),
      cause: place.lines.join("\n"),
      remedy,
      at: place.at,
    });
  });
  return new UserError({ ...whole, each });
}

function titleFor(lines: readonly string[]): string {
  return lines.length === 1 ? "One input is wrong" : `${lines.length} inputs are wrong`;
}

function byPlace(problems: readonly Problem[]): readonly { at: Place; lines: string[] }[] {
  const places = new Map<string, { at: Place; lines: string[] }>();
  for (const { where, problem, at } of problems) {
    if (at === undefined) continue;
    const key = `${at.file}:${at.line}`;
    const place = places.get(key) ?? { at, lines: [] };
    place.lines.push(sentence(where, problem));
    places.set(key, place);
  }
  return [...places.values()];
}

function sentence(where: string, problem: string): string {
  const text = `${where}: ${problem}`;
  return /[.?]$/.test(text) ? text : `${text}.`;
}
