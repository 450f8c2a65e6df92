import { UserError } from "../failure/index.ts";
import type { World } from "../world/index.ts";
import type { BackupLabel } from "./backup-label.ts";
import type { ClusterFolder, NewFile } from "./cluster-folder.ts";
import type { Ledger } from "./ledger.ts";
import { type Decrypt, plainContent } from "./plain-content.ts";
import { BrokenSegment } from "./repository.ts";
import { type Lsn, lsnText, segmentName } from "./segment.ts";
import type { RecoveryTarget } from "./target.ts";
import { type Stretch, stretchesOf } from "./timeline.ts";
import {
  type ArchivedSegment,
  chainOf,
  readArchive,
  type WalArchive,
  type WalFile,
} from "./wal-archive.ts";
import { factsIn, SEGMENT_HEAD_BYTES, WalEnd, type WalFacts, WalReader } from "./wal-reader.ts";
import type { WalRecord } from "./wal-record.ts";

/** The end of a transaction, as the WAL has it. */
export interface Ending {
  readonly start: Lsn;
  readonly end: Lsn;
  /** Microseconds since 2000-01-01. */
  readonly time: number;
  /** 0 where the record does not say, as of one that was prepared. */
  readonly transaction: number;
  readonly committed: boolean;
}

/** What the WAL holds, from the base backup's beginning on. */
export interface WalFindings {
  readonly timeline: number;
  readonly segments: number;
  /** When the newest segment was archived, in milliseconds since the Unix epoch. */
  readonly newest: number | undefined;
  readonly start: Lsn;
  readonly end: Lsn;
  readonly records: number;
  readonly commits: number;
  /** From where on the copy is consistent; undefined where nothing says so. */
  readonly consistent: Lsn | undefined;
  readonly last: Ending | undefined;
  /** The last ending up to the target, and the first one after it, where recovery stops. */
  readonly before: Ending | undefined;
  readonly stop: Ending | undefined;
  /** The first commit from there on that has a number. */
  readonly next: Ending | undefined;
}

export interface WalOptions {
  readonly label: BackupLabel;
  readonly system: string | undefined;
  readonly major: number;
  readonly archived: readonly WalFile[];
  readonly ownWal: readonly WalFile[];
  /** Where the manifest says that the backup ended. */
  readonly ended: Lsn | undefined;
  readonly target: RecoveryTarget | undefined;
  readonly timeline: "latest" | "current" | number;
  readonly folder: ClusterFolder;
  /** Whether recovery is to read it: plain segments go to the folder. */
  readonly unpack: boolean;
  /** Whether nothing is read that lies behind what proves the target, and no gap there matters. */
  readonly upToTarget?: boolean;
  readonly decrypt?: Decrypt | undefined;
}

const WAL = "WAL";

/**
 * Reads all WAL that recovery would need: no gap, every page's header, every record's checksum and
 * place. What is wrong goes to the ledger.
 *
 * @returns undefined where there is nothing that recovery could begin with.
 */
export async function readWal(
  options: WalOptions,
  ledger: Ledger,
  world: World,
): Promise<WalFindings | undefined> {
  return await new WalRun(options, ledger, world).all();
}

class WalRun {
  readonly #options: WalOptions;
  readonly #ledger: Ledger;
  readonly #world: World;
  #commits = 0;
  #last: Ending | undefined;
  #before: Ending | undefined;
  #stop: Ending | undefined;
  #next: Ending | undefined;
  #backupEnd: Lsn | undefined;

  constructor(options: WalOptions, ledger: Ledger, world: World) {
    this.#options = options;
    this.#ledger = ledger;
    this.#world = world;
  }

  async all(): Promise<WalFindings | undefined> {
    const { label, archived, ownWal } = this.#options;
    const facts = await this.#facts();
    if (facts === undefined) return undefined;
    const archive = readArchive(archived, ownWal, facts.segmentBytes);
    const stretches = await this.#stretches(archive, facts);
    if (stretches === undefined) return undefined;
    const first = Math.floor(label.start / facts.segmentBytes);
    const chain = chainOf(archive, { first, stretches, segmentBytes: facts.segmentBytes });
    const tellGaps = () => this.#tellGaps(chain.missing, chain.segments.length, first, facts);
    if (this.#options.upToTarget !== true || chain.segments.length === 0) tellGaps();
    if (chain.segments.length === 0) return undefined;
    const reader = new WalReader(label.start, facts);
    await this.#read(reader, chain.segments, facts);
    if (this.#options.upToTarget === true && this.#stop === undefined) tellGaps();
    const consistent = this.#options.ended ?? this.#backupEnd;
    if (!this.#ledger.isDamaged && consistent !== undefined && reader.end < consistent) {
      this.#ledger.damage(
        "wal",
        WAL,
        "It ends before the base backup did, so that recovery never comes to a consistent state.",
        { expected: `up to ${lsnText(consistent)}`, found: `up to ${lsnText(reader.end)}` },
      );
    }
    return {
      timeline: stretches.at(-1)?.timeline ?? label.timeline,
      segments: chain.segments.length,
      newest: newestOf(chain.segments),
      ...{ start: label.start, end: reader.end, records: reader.records, commits: this.#commits },
      ...{ consistent, last: this.#last, before: this.#before, stop: this.#stop, next: this.#next },
    };
  }

  /** What the first segment says that all have to be like. */
  async #facts(): Promise<WalFacts | undefined> {
    const { label, archived, ownWal, system, major } = this.#options;
    const all = [...archived, ...ownWal];
    const like = (file: WalFile) => baseName(file.name).startsWith(label.segment);
    const first = all.find((file) => like(file) && !/\.backup(\.|$)/.test(file.name));
    if (first === undefined) {
      const names = all
        .map(({ name }) => baseName(name).slice(0, 24))
        .filter((name) => /^[0-9A-F]{24}$/.test(name))
        .sort();
      this.#ledger.damage(
        "wal-gap",
        WAL,
        `The base backup begins in segment ${label.segment}, and that is missing.`,
        {
          expected: label.segment,
          found:
            names.length === 0
              ? "no segments"
              : `${names.length} segments from ${names[0]} to ${names.at(-1)}`,
        },
      );
      return undefined;
    }
    const head = await this.#guarded(first, async (content) => {
      let bytes = Buffer.alloc(0);
      for await (const chunk of content) {
        bytes = Buffer.concat([bytes, chunk]);
        if (bytes.length >= SEGMENT_HEAD_BYTES) break;
      }
      return bytes;
    });
    if (head === undefined) return undefined;
    const facts = factsIn(head);
    const wrong =
      facts === undefined
        ? "It does not begin as a segment of WAL does."
        : facts.major !== major
          ? `It is of PostgreSQL ${facts.major}, and the base backup of ${major}.`
          : system !== undefined && facts.system !== system
            ? `It is of the database system ${facts.system}, and the base backup of ${system}: this is another server's WAL.`
            : undefined;
    if (facts !== undefined && wrong === undefined) return facts;
    this.#ledger.damage("wal", baseName(first.name), wrong ?? "");
    return undefined;
  }

  /** The way from the base backup's timeline to the one that is recovered to. */
  async #stretches(archive: WalArchive, facts: WalFacts): Promise<readonly Stretch[] | undefined> {
    const { label, timeline: wanted, unpack, folder } = this.#options;
    const numbers = [...archive.histories.keys()];
    const timeline =
      wanted === "current"
        ? label.timeline
        : wanted === "latest"
          ? Math.max(label.timeline, ...numbers)
          : wanted;
    const lost = [...archive.segments.values()].find(
      (segment) =>
        segment.timeline > timeline &&
        wanted === "latest" &&
        segment.number * facts.segmentBytes >= label.start,
    );
    if (lost !== undefined) {
      this.#ledger.damage(
        "timeline",
        `timeline ${lost.timeline}`,
        `There are segments of it, and its history, ${historyName(lost.timeline)}, is missing: nothing tells how to get there.`,
      );
      return undefined;
    }
    const texts = new Map<number, string>();
    for (const [number, file] of archive.histories) {
      const text = await this.#guarded(file, textOf);
      if (text === undefined) return undefined;
      texts.set(number, text);
      if (unpack) await folder.put(`wal/${historyName(number)}`, text);
    }
    if (timeline > 1 && !texts.has(timeline) && timeline !== label.timeline) {
      const there = [label.timeline, ...numbers].sort((a, b) => a - b).join(", ");
      this.#ledger.damage(
        "timeline",
        `timeline ${timeline}`,
        `Its history, ${historyName(timeline)}, is not in the archive, so that it cannot be recovered to; there is ${there}.`,
      );
      return undefined;
    }
    const stretches = stretchesOf(timeline, texts.get(timeline));
    if (stretches === undefined) {
      this.#ledger.damage("timeline", historyName(timeline), "It is no history of a timeline.");
      return undefined;
    }
    const known = texts.has(timeline) ? stretches : [{ timeline, from: 0, to: undefined }];
    const own = known.find((stretch) => stretch.timeline === label.timeline);
    if (own !== undefined && (own.to === undefined || label.start < own.to)) return known;
    this.#ledger.damage(
      "timeline",
      `timeline ${timeline}`,
      own === undefined
        ? `It does not descend from timeline ${label.timeline}, of which the base backup is.`
        : `It left timeline ${label.timeline} at ${lsnText(own.to ?? 0)}, before the base backup began at ${lsnText(label.start)}, and so cannot be reached from it.`,
    );
    return undefined;
  }

  #tellGaps(missing: readonly string[], whole: number, first: number, facts: WalFacts): void {
    if (missing.length === 0) return;
    const { label } = this.#options;
    const before = segmentName(
      { timeline: label.timeline, number: first + whole - 1 },
      facts.segmentBytes,
    );
    const named =
      missing.slice(0, 5).join(", ") +
      (missing.length > 5 ? ` and ${missing.length - 5} more` : "");
    this.#ledger.damage(
      "wal-gap",
      WAL,
      `There is a gap: ${named} ${missing.length === 1 ? "is" : "are"} missing, and later segments are there. Recovery ends${whole > 0 ? ` behind ${before.slice(8)}` : " before it begins"}, and everything after that is lost.`,
      { expected: missing[0], found: "nothing" },
    );
  }

  async #read(
    reader: WalReader,
    segments: readonly ArchivedSegment[],
    facts: WalFacts,
  ): Promise<void> {
    const { folder, unpack } = this.#options;
    const timelines = new Set(segments.map(({ timeline }) => timeline));
    timelines.add(this.#options.label.timeline);
    for (const [at, segment] of segments.entries()) {
      const name = segmentName(segment, facts.segmentBytes);
      const into = unpack ? await folder.create(`wal/${name}`) : undefined;
      try {
        const goesOn = await this.#guarded(segment.file, (content) =>
          this.#segment(reader, segment, {
            content: teed(content, into),
            facts,
            timelines,
            last: at === segments.length - 1,
          }),
        );
        const isEnough = this.#options.upToTarget === true && this.#stop !== undefined;
        if (goesOn === true && !isEnough) continue;
        // A server takes no segment of another size, though it needs but its beginning.
        if (this.#options.upToTarget === true) await into?.fill(facts.segmentBytes);
        return;
      } finally {
        await into?.close();
      }
    }
  }

  async #segment(
    reader: WalReader,
    segment: ArchivedSegment,
    { content, facts, timelines, last }: Reading,
  ): Promise<boolean> {
    const pages = content[Symbol.asyncIterator]();
    const stream = { [Symbol.asyncIterator]: () => ({ next: () => pages.next() }) };
    try {
      const from = segment.number * facts.segmentBytes;
      for await (const record of reader.segment(stream, from, timelines)) this.#take(record);
      return true;
    } catch (error) {
      if (!(error instanceof WalEnd)) throw error;
      for (let more = await pages.next(); more.done !== true; more = await pages.next());
      this.#tellEnd(segment, error, last);
      return false;
    } finally {
      await pages.return?.();
    }
  }

  #tellEnd(segment: ArchivedSegment, { at, message, open }: WalEnd, last: boolean): void {
    const subject = baseName(segment.file.name);
    const unfinished = last && (segment.partial || segment.ofBackup);
    if (unfinished && open) return;
    if (unfinished) {
      this.#ledger.note(
        "wal",
        subject,
        `It was not written to its end; its records go up to ${lsnText(at)}.`,
      );
      return;
    }
    this.#ledger.damage(
      "wal",
      subject,
      `Recovery would end in it as if that were the end of all: at ${lsnText(at)}, ${message}.`,
      { expected: "records up to the end of the segment", found: `records up to ${lsnText(at)}` },
    );
  }

  #take({ kind, start, end, transaction }: WalRecord): void {
    if (kind.of === "backup-end" && kind.start === this.#options.label.start) this.#backupEnd = end;
    if (kind.of !== "commit" && kind.of !== "abort") return;
    const ending: Ending = {
      start,
      end,
      time: kind.time,
      transaction,
      committed: kind.of === "commit",
    };
    if (ending.committed) this.#commits += 1;
    const { target } = this.#options;
    if (target !== undefined && this.#stop === undefined) {
      if (ending.time > target.time) this.#stop = ending;
      else this.#before = ending;
    }
    if (this.#stop !== undefined && this.#next === undefined && ending.committed && transaction > 0)
      this.#next = ending;
    this.#last = ending;
  }

  /** What cannot be unpacked is found, and what cannot be fetched is thrown. */
  async #guarded<T>(
    file: WalFile,
    work: (content: AsyncIterable<Buffer>) => Promise<T>,
  ): Promise<T | undefined> {
    const { decrypt } = this.#options;
    try {
      return await work(plainContent(file, { signal: this.#world.signal, decrypt }));
    } catch (error) {
      this.#world.signal.throwIfAborted();
      const isBroken = error instanceof BrokenSegment;
      if (!(error instanceof UserError) || !(isBroken || error.title === "Broken dump"))
        throw error;
      this.#ledger.damage("compression", baseName(file.name), error.cause.replace(/^[^:]+: /, ""));
      return undefined;
    }
  }
}

interface Reading {
  readonly content: AsyncIterable<Buffer>;
  readonly facts: WalFacts;
  readonly timelines: ReadonlySet<number>;
  readonly last: boolean;
}

async function* teed(
  content: AsyncIterable<Buffer>,
  into: NewFile | undefined,
): AsyncGenerator<Buffer> {
  for await (const chunk of content) {
    await into?.write(chunk);
    yield chunk;
  }
}

async function textOf(content: AsyncIterable<Buffer>): Promise<string> {
  let text = "";
  for await (const chunk of content) {
    text += chunk.toString("utf8");
    if (text.length > 1_048_576) break;
  }
  return text;
}

function newestOf(segments: readonly ArchivedSegment[]): number | undefined {
  const times = segments.filter(({ ofBackup }) => !ofBackup).map(({ file }) => file.modified);
  return times.length === 0 ? undefined : Math.max(...times);
}

function historyName(timeline: number): string {
  return `${timeline.toString(16).toUpperCase().padStart(8, "0")}.history`;
}

function baseName(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
