import type { UserError } from "../failure/index.ts";

/** Text as it is; anything else as JSON. */
export type OutputValue = string | number | boolean | object;

/** What a use case gives back: plain data from which outputs, summary and exit status are made. */
export interface Outcome<Output extends string = string> {
  /** Outputs by name; those left out are set to the empty text. */
  readonly outputs: Readonly<Partial<Record<Output, OutputValue>>>;
  /** GitHub-flavoured Markdown for the job summary; it opens with the verdict. */
  readonly summary: string;
  /** Present when the claim could not be proved: the step fails with it. */
  readonly failure?: UserError | undefined;
  /** Folders that later steps find first on their PATH; the first one is searched first. */
  readonly path?: readonly string[];
}

/** The outputs that every action has beside its own. */
export const COMMON_OUTPUTS = ["verdict", "cause"] as const;

export type Verdict = "passed" | "failed" | "cancelled";
