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

/** The failure of a step that did nothing, for all that is wrong with what was asked. */
export function wrongInputs(problems: readonly Problem[]): UserError {
  const lines = different(problems).map(({ where, problem }) => sentence(where, problem));
  const file = problems.find(({ at }) => at !== undefined)?.at?.file;
  return new UserError({
    title: lines.length === 1 ? "One input is wrong" : `${lines.length} inputs are wrong`,
    cause: lines.join("\n"),
    remedy: `Correct ${file === undefined ? "the step's `with:`" : `${file} or the step's \`with:\``} and run again; nothing was built or pushed.`,
    at: problems.find(({ at }) => at !== undefined)?.at,
  });
}

function sentence(where: string, problem: string): string {
  const text = `${where}: ${problem}`;
  return /[.?]$/.test(text) ? text : `${text}.`;
}
