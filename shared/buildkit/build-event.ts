/** What a build tells while it runs. */
export type BuildEvent =
  | {
      readonly kind: "step";
      /** The instruction, without its number. */
      readonly name: string;
      /** How many steps are done, this one included, of how many known so far. */
      readonly done: number;
      readonly total: number;
      readonly milliseconds: number;
      readonly cached: boolean;
    }
  /** A line that an instruction printed. */
  | { readonly kind: "output"; readonly text: string }
  | { readonly kind: "warning"; readonly text: string; readonly line: number | undefined }
  /** What the registry has taken: `host/path@sha256:...`. */
  | { readonly kind: "pushed"; readonly reference: string }
  /** It is built once more, for a reason that passes. */
  | { readonly kind: "again"; readonly why: string; readonly waitMilliseconds: number };

/** How far a build is. */
export interface StepCounts {
  readonly done: number;
  readonly cached: number;
  readonly total: number;
}

/** The step that broke a build. */
export interface FailedStep {
  readonly name: string;
  readonly error: string;
  /** The last lines that it printed. */
  readonly output: readonly string[];
  /** The last line with words in it: of standard error, or of standard output where that is empty. */
  readonly lastWords: string | undefined;
}
