import { FormatError } from "../failure/index.ts";

/** One input: how its text becomes a typed option. Made by the functions in `fields.ts`. */
export interface Field<T> {
  readonly required: boolean;
  /** As declared in action.yml; the contract tests hold the two together. */
  readonly default: string | undefined;
  /** What is accepted, to complete the sentence "accepted is ...". */
  readonly accepts: string;
  /** The parts of the raw text that must never be shown. */
  secretsIn(raw: string): readonly string[];
  /**
   * @throws {FormatError} when the text is not acceptable; {Rejection} where that may be quoted.
   */
  parse(raw: string): T;
}

/** Why an input's text is not acceptable, beside the field's general `accepts`. */
export class Rejection extends FormatError {
  /**
   * Whether the message may be shown though parts of the value are secret. Whoever sets this made
   * sure that it quotes none of them.
   */
  readonly quotesNoSecret: boolean;

  constructor(message: string, { quotesNoSecret = false } = {}) {
    super(message);
    this.quotesNoSecret = quotesNoSecret;
  }
}

/** A problem with one input, as the user is told of it. */
export interface InputProblem {
  readonly input: string;
  /** What was given; undefined when nothing was, or when it must not be shown. */
  readonly got: string | undefined;
  readonly problem: string;
  readonly accepts: string | undefined;
}
