/** What is stored of a part is not what the manifest says. */
export class BrokenPart extends Error {
  /** As the table of detectors calls it. */
  readonly detector: "checksum" | "encryption" | "compression" | "missing-part";
  /** The file beside the manifest. */
  readonly file: string;
  /** One sentence with its full stop. */
  readonly what: string;
  readonly expected: string | undefined;
  readonly found: string | undefined;

  constructor(parts: Pick<BrokenPart, "detector" | "file" | "what" | "expected" | "found">) {
    super(parts.what);
    this.name = "BrokenPart";
    this.detector = parts.detector;
    this.file = parts.file;
    this.what = parts.what;
    this.expected = parts.expected;
    this.found = parts.found;
  }
}
