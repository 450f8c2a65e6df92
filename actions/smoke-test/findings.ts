import { Rejection } from "../../shared/action/index.ts";
import { FormatError, nearestName } from "../../shared/failure/index.ts";

/** Collects what is wrong with structured data, so that all of it can be told at once. */
export class Findings {
  readonly problems: string[] = [];

  /** What `read` gives, or undefined with the problem noted when the form is wrong. */
  read<T>(where: string, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof Rejection)) throw error;
      this.problems.push(`${where}: ${error.message}`);
      return undefined;
    }
  }

  /** The entries of a mapping; a key that is not known is noted with the nearest that is. */
  mapping(where: string, value: unknown, known?: readonly string[]): Record<string, unknown> {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      this.problems.push(`${where}: it must be a mapping of names to values`);
      return {};
    }
    const unknown = known === undefined ? [] : Object.keys(value).filter((k) => !known.includes(k));
    for (const key of unknown) {
      const near = nearestName(key, known ?? []);
      const hint = near === undefined ? `known are ${known?.join(", ")}` : `did you mean ${near}?`;
      this.problems.push(`${where}: there is no key ${JSON.stringify(key)}; ${hint}`);
    }
    return value as Record<string, unknown>;
  }
}

/** A scalar as text. */
export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw new FormatError(`${JSON.stringify(value)} is no text`);
}

/** One text or several. */
export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(textOf) : [textOf(value)];
}
