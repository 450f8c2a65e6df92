import { FormatError } from "../failure/index.ts";

/** HTTP status codes from one to another, both included. */
interface StatusRange {
  readonly from: number;
  readonly to: number;
}

/** The status codes that an answer may have. */
export type StatusSet = readonly StatusRange[];

/**
 * Reads `200`, `"2xx"`, `"200, 204"` or a list of these.
 *
 * @throws {FormatError} when a part is neither a code nor a class of codes.
 */
export function parseStatusSet(value: unknown): StatusSet {
  const parts = Array.isArray(value) ? value : [value];
  if (parts.length === 0) throw new FormatError("the list is empty");
  return parts.flatMap((part) => {
    if (typeof part === "number") return [parseRange(String(part))];
    if (typeof part !== "string") throw new FormatError(`${JSON.stringify(part)} is no status`);
    return part.split(",").map((word) => parseRange(word.trim()));
  });
}

function parseRange(word: string): StatusRange {
  const kind = /^([1-5])xx$/i.exec(word)?.[1];
  if (kind !== undefined) return { from: Number(kind) * 100, to: Number(kind) * 100 + 99 };
  if (/^[1-5]\d\d$/.test(word)) return { from: Number(word), to: Number(word) };
  throw new FormatError(
    `${JSON.stringify(word)} is no status; write a code such as 200 or a class such as 2xx`,
  );
}

/** Whether a status code is among those allowed. */
export function matchesStatus(set: StatusSet, status: number): boolean {
  return set.some(({ from, to }) => status >= from && status <= to);
}

/** As a person writes it: `2xx or 304`. */
export function formatStatusSet(set: StatusSet): string {
  return set.map(({ from, to }) => (from === to ? `${from}` : `${from / 100}xx`)).join(" or ");
}
