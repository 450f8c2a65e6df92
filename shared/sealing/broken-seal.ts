/**
 * Stored bytes that do not decompress or decrypt: they are not what was written. A key that does
 * not fit is a UserError instead, where the two can be told apart.
 */
export class BrokenSeal extends Error {
  /** What noticed it, as a finding names its detector. */
  readonly detector: "compression" | "encryption";

  /** @param what one sentence without its full stop, which begins in lower case. */
  constructor(detector: "compression" | "encryption", what: string) {
    super(what);
    this.name = "BrokenSeal";
    this.detector = detector;
  }
}
