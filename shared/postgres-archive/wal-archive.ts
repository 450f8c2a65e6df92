import type { DumpFile } from "../dump-format/index.ts";
import { readSegmentName, type SegmentId, segmentName } from "./segment.ts";
import type { Stretch } from "./timeline.ts";

/** A file of archived WAL, wherever it is kept. */
export interface WalFile extends DumpFile {
  /** When it was archived, in milliseconds since the Unix epoch. */
  readonly modified: number;
}

/** A segment that is there. */
export interface ArchivedSegment extends SegmentId {
  readonly file: WalFile;
  /** Written only in part, as it was when its server or its receiver ended. */
  readonly partial: boolean;
  /** From the base backup itself: it ends where the backup ended. */
  readonly ofBackup: boolean;
}

const COMPRESSED = /\.(gz|zst|lz4)$/;

/** The files of an archive, by what their names say they are. */
export interface WalArchive {
  readonly segments: ReadonlyMap<string, ArchivedSegment>;
  readonly histories: ReadonlyMap<number, WalFile>;
  /** Names that are none of an archive's. */
  readonly strange: readonly string[];
}

/**
 * Sorts files by their names. A whole segment is taken before a partial one, and the archive's
 * before the base backup's.
 */
export function readArchive(
  archived: readonly WalFile[],
  ofBackup: readonly WalFile[],
  segmentBytes: number,
): WalArchive {
  const segments = new Map<string, ArchivedSegment>();
  const histories = new Map<number, WalFile>();
  const strange: string[] = [];
  const take = (file: WalFile, own: boolean) => {
    const base = file.name.slice(file.name.lastIndexOf("/") + 1).replace(COMPRESSED, "");
    const history = /^([0-9A-F]{8})\.history$/.exec(base)?.[1];
    if (history !== undefined) {
      const number = Number.parseInt(history, 16);
      if (!histories.has(number)) histories.set(number, file);
      return;
    }
    if (/^[0-9A-F]{24}\.[0-9A-F]{8}\.backup$/.test(base)) return;
    const partial = base.endsWith(".partial");
    const id = readSegmentName(partial ? base.slice(0, -8) : base, segmentBytes);
    if (id === undefined) {
      if (!own) strange.push(file.name);
      return;
    }
    const name = segmentName(id, segmentBytes);
    const known = segments.get(name);
    const better =
      known === undefined || (known.partial && !partial) || (known.ofBackup && !own && !partial);
    if (better) segments.set(name, { ...id, file, partial, ofBackup: own });
  };
  for (const file of archived) take(file, false);
  for (const file of ofBackup) take(file, true);
  return { segments, histories, strange };
}

/** What recovery would read, in order, and where that ends. */
export interface Chain {
  readonly segments: readonly ArchivedSegment[];
  /** Segments that are missing although later ones are there. */
  readonly missing: readonly string[];
}

/**
 * The segments from the base backup's first to the last one on a timeline's way. Of a segment that
 * several timelines share, the newest one's is read, as the server does it.
 *
 * Source: src/backend/access/transam/xlogrecovery.c, XLogFileReadAnyTLI.
 */
export function chainOf(
  { segments }: WalArchive,
  {
    first,
    stretches,
    segmentBytes,
  }: {
    readonly first: number;
    readonly stretches: readonly Stretch[];
    readonly segmentBytes: number;
  },
): Chain {
  const onTheWay = (segment: SegmentId) =>
    stretches.some(
      ({ timeline, from, to }) =>
        timeline === segment.timeline &&
        segment.number >= Math.floor(from / segmentBytes) &&
        (to === undefined || segment.number * segmentBytes < to),
    );
  const newest = new Map<number, ArchivedSegment>();
  for (const segment of segments.values()) {
    if (segment.number < first || !onTheWay(segment)) continue;
    const known = newest.get(segment.number);
    if (known === undefined || known.timeline < segment.timeline)
      newest.set(segment.number, segment);
  }
  const last = Math.max(-1, ...newest.keys());
  const chain: ArchivedSegment[] = [];
  const missing: string[] = [];
  for (let number = first; number <= last; number += 1) {
    const segment = newest.get(number);
    if (segment !== undefined) {
      if (missing.length === 0) chain.push(segment);
      continue;
    }
    const timeline = stretches.findLast(({ from }) => number >= Math.floor(from / segmentBytes));
    missing.push(segmentName({ timeline: timeline?.timeline ?? 1, number }, segmentBytes));
  }
  return { segments: chain, missing };
}
