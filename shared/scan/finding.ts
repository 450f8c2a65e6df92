/** From the worst down. */
export const SEVERITIES = ["critical", "high", "medium", "low", "negligible", "unknown"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Severities that a gate can be set to. */
export type Threshold = Exclude<Severity, "negligible" | "unknown">;

/** A known vulnerability in a package of an image. */
export interface Finding {
  readonly id: string;
  /** Other names of the same one. */
  readonly aliases: readonly string[];
  readonly severity: Severity;
  readonly package: string;
  readonly installed: string;
  /** The version without it; undefined when there is none yet. */
  readonly fixed: string | undefined;
  /** One line; empty when the database has none. */
  readonly title: string;
}

/** What a scanner reported of one platform of an image. */
export interface ScannedPlatform {
  readonly findings: readonly Finding[];
  /** What was really scanned: the digest of its manifest or of its configuration. */
  readonly subject: string | undefined;
  /** When the database was made, as the scanner says it. */
  readonly database: string | undefined;
  /** Findings that the scanner's own settings left out. */
  readonly leftOut: number;
}

export function severityOf(text: unknown): Severity {
  const small = typeof text === "string" ? text.toLowerCase() : "";
  return SEVERITIES.find((each) => each === small) ?? "unknown";
}

/** Whether a severity is at or above the threshold. An unknown one is below every threshold. */
export function reaches(severity: Severity, threshold: Threshold): boolean {
  return SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(threshold);
}

/** A text of a database as one line of bounded length. */
export function oneLine(text: unknown): string {
  if (typeof text !== "string") return "";
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 160 ? `${line.slice(0, 160)}…` : line;
}
