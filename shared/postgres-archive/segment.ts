/** A position in the write-ahead log, in bytes; 2^53 of them are 8 PiB. */
export type Lsn = number;

const LOG = 2 ** 32;

/** `0/2000028` as a number; undefined where it is none. */
export function parseLsn(text: string): Lsn | undefined {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text.trim());
  if (match === null) return undefined;
  return Number.parseInt(match[1] ?? "", 16) * LOG + Number.parseInt(match[2] ?? "", 16);
}

/** As PostgreSQL writes it: `0/2000028`. */
export function lsnText(lsn: Lsn): string {
  const hex = (part: number) => part.toString(16).toUpperCase();
  return `${hex(Math.floor(lsn / LOG))}/${hex(lsn % LOG)}`;
}

/** A segment of the log, by its timeline and its number. */
export interface SegmentId {
  readonly timeline: number;
  readonly number: number;
}

/**
 * The name of a segment's file. Source: src/include/access/xlog_internal.h, XLogFileName.
 *
 * @param size of a segment, in bytes.
 */
export function segmentName({ timeline, number }: SegmentId, size: number): string {
  const perLog = LOG / size;
  const parts = [timeline, Math.floor(number / perLog), number % perLog];
  return parts.map((part) => part.toString(16).toUpperCase().padStart(8, "0")).join("");
}

/** What a segment's name tells; undefined where it is no such name. */
export function readSegmentName(name: string, size: number): SegmentId | undefined {
  const match = /^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})$/.exec(name);
  if (match === null) return undefined;
  const [timeline = 0, log = 0, part = 0] = match.slice(1).map((hex) => Number.parseInt(hex, 16));
  const perLog = LOG / size;
  if (part >= perLog) return undefined;
  return { timeline, number: log * perLog + part };
}
