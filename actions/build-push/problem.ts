import { type Place, UserError } from "../../shared/failure/index.ts";

/** One thing that is wrong with what was asked, and where: `services.1 (api): context`. */
export interface Problem {
  readonly where: string;
  readonly problem: string;
  /** The line of the user's file, where there is one. */
  readonly at?: Place | undefined;
}

/** The failure of a step that did nothing, for all that is wrong with what was asked. */
export function wrongInputs(problems: readonly Problem[]): UserError {
  const lines = [...new Set(problems.map(({ where, problem }) => sentence(where, problem)))];
  return new UserError({
    title: lines.length === 1 ? "One input is wrong" : `${lines.length} inputs are wrong`,
    cause: lines.join("\n"),
    remedy: "Correct the step's `with:` and run again; nothing was built or pushed.",
    at: problems.find(({ at }) => at !== undefined)?.at,
  });
}

function sentence(where: string, problem: string): string {
  const text = `${where}: ${problem}`;
  return /[.?]$/.test(text) ? text : `${text}.`;
}
