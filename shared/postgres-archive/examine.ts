import { totalmem } from "node:os";
import { UserError } from "../failure/index.ts";
import { type Isolation, isolationHere } from "../isolation/index.ts";
import {
  compareFingerprints,
  type Expectations,
  fingerprintAgainst,
  type PostgresFingerprint,
  takeFingerprint,
} from "../postgres-fingerprint/index.ts";
import {
  type ApplicationQuery,
  askQueries,
  LimitReached,
  type LiveSource,
  readLiveSource,
  sinceTheDump,
  watchServer,
} from "../postgres-restore/index.ts";
import type { Examination, ExaminationPhase, Item, Tier } from "../proof/index.ts";
import type { World } from "../world/index.ts";
import {
  databasesOf,
  goalOf,
  holdEnd,
  holdTarget,
  isVisible,
  judgeTarget,
  stateOf,
} from "./arrival.ts";
import { circumstancesOf, isolationInWords } from "./circumstances.ts";
import { ClusterFolder } from "./cluster-folder.ts";
import { type BaseFiles, type Fetch, type Fetched, fetchBase } from "./fetch.ts";
import { Ledger } from "./ledger.ts";
import { noWal } from "./not-recoverable.ts";
import type { Decrypt } from "./plain-content.ts";
import { programsOf } from "./programs.ts";
import type { BaseFacts } from "./read-base.ts";
import { type Ending, readWal, type WalFindings } from "./read-wal.ts";
import { RecoveryServer } from "./recovery-server.ts";
import { type ControlFacts, readControl } from "./recovery-settings.ts";
import type { Repository, RepositoryBackup } from "./repository.ts";
import { lsnText } from "./segment.ts";
import { checkPages, checkStructures } from "./structures.ts";
import { superuserOf } from "./superuser.ts";
import { momentText, type RecoveryTarget } from "./target.ts";

/** A base backup, its WAL, and what they are held against. */
export interface BaseBackup extends Known, BaseFiles {}

/** What a physical backup is held against. */
export interface Known {
  /** What the comparison with the source, expectations and queries are about. */
  readonly database?: string | undefined;
  readonly liveSource?: LiveSource | undefined;
  readonly expectations?: Expectations | undefined;
  readonly queries?: readonly ApplicationQuery[] | undefined;
}

export interface BaseSettings {
  readonly target: RecoveryTarget | undefined;
  readonly timeline: "latest" | "current" | number;
  readonly bin?: string | undefined;
  /** Where private folders are made; the system's temporary folder when left out. */
  readonly within?: string | undefined;
  readonly memory?: number | undefined;
  /** Milliseconds. */
  readonly time?: number | undefined;
  readonly jobs?: number | undefined;
  readonly amcheck?: boolean | undefined;
  readonly decrypt?: Decrypt | undefined;
}

/** What an examination found, and the moment up to which the WAL was kept. */
export interface BaseExamination extends Examination {
  /** When the newest WAL was archived, in milliseconds since the Unix epoch. */
  readonly newest: number | undefined;
  readonly bytes: number;
}

const MIB = 2 ** 20;

/**
 * Proves a physical backup of PostgreSQL: every byte of the base backup against its manifest, every
 * record of the WAL; then a server of its own recovers from it to the wanted moment, is held to what
 * the WAL says happened before and after it, and every row of every database is read.
 *
 * @throws {UserError} where something that is needed cannot be had. What is wrong with the backup is
 * never thrown.
 */
export async function examineBaseBackup(
  backup: BaseBackup,
  settings: BaseSettings,
  tier: Tier,
  world: World,
): Promise<BaseExamination> {
  const fetch = fetchBase(backup, settings.decrypt, world);
  return await new BaseProof({ backup, fetch, settings, tier, world }).all();
}

/**
 * Proves a backup in the repository of another tool in the same way, as far as the tool lets it be
 * read.
 *
 * @throws {UserError} where something that is needed cannot be had.
 */
export async function examineRepository(
  repository: Repository,
  set: RepositoryBackup,
  { known, settings }: { readonly known: Known; readonly settings: BaseSettings },
  tier: Tier,
  world: World,
): Promise<BaseExamination> {
  const fetch = repository.fetch(set, world);
  return await new BaseProof({ backup: known, fetch, settings, tier, world }).all();
}

interface ProofParts {
  readonly backup: Known;
  readonly fetch: Fetch;
  readonly settings: BaseSettings;
  readonly tier: Tier;
  readonly world: World;
}

class BaseProof {
  readonly #backup: Known;
  readonly #fetch: Fetch;
  readonly #settings: BaseSettings;
  readonly #tier: Tier;
  readonly #world: World;
  readonly #ledger = new Ledger();
  readonly #phases: ExaminationPhase[] = [];
  readonly #began = performance.now();
  readonly #circumstances: Record<string, string> = {};
  #items: readonly Item[] = [];
  #restored: number | undefined;
  #reached: Tier = "integrity";

  constructor({ backup, fetch, settings, tier, world }: ProofParts) {
    this.#backup = backup;
    this.#fetch = fetch;
    this.#settings = settings;
    this.#tier = tier;
    this.#world = world;
  }

  async all(): Promise<BaseExamination> {
    const { memory = Math.floor(totalmem() / 2), within } = this.#settings;
    const isolation = await isolationHere(memory, this.#world);
    await using folder = await ClusterFolder.make(within, isolation.user);
    const unpack = this.#tier !== "integrity";
    const began = performance.now();
    const base = await this.#take("reading the base backup", () =>
      this.#fetch(folder, unpack, this.#ledger),
    );
    const wal = await this.#take("reading the WAL", () => this.#wal(base, folder, unpack));
    if (wal !== undefined && !this.#ledger.isDamaged)
      judgeTarget(this.#settings.target, base, wal, this.#ledger);
    this.#describe(base, wal);
    if (unpack && wal !== undefined && base.major !== undefined && !this.#ledger.isDamaged) {
      this.#ledger.tier = "data";
      await this.#recover({ base, wal, folder, isolation, memory, began, major: base.major });
    } else if (unpack) {
      this.#ledger.unknown.push("It was not restored, for what is above has to be whole for that.");
    } else {
      this.#ledger.unknown.push(
        "Whether a server starts from it, and what its tables hold, was not looked at.",
        wal === undefined
          ? "Its WAL was not read record by record; gaps and the point in time were not looked at."
          : "Every record of the WAL has its checksum; pages of the base backup were not looked into.",
      );
    }
    return {
      findings: this.#ledger.findings,
      ...{ items: this.#items, unit: "rows", reached: this.#reached },
      unknown: [...new Set(this.#ledger.unknown)],
      ...{
        restoreSeconds: this.#restored,
        circumstances: this.#circumstances,
        phases: this.#phases,
      },
      ...{ newest: wal?.newest, bytes: base.bytes },
    };
  }

  async #wal(
    base: Fetched,
    folder: ClusterFolder,
    unpack: boolean,
  ): Promise<WalFindings | undefined> {
    const { label, major, ownWal, system, archived, ended } = base;
    if (label === undefined || major === undefined) return undefined;
    if (archived === undefined && ownWal.length === 0) throw noWal(label.segment);
    const { target, timeline, decrypt } = this.#settings;
    const own = { label, major, system, ownWal, archived: archived ?? [] };
    return await readWal(
      { ...own, ended, target, timeline, folder, unpack, decrypt },
      this.#ledger,
      this.#world,
    );
  }

  #describe(base: BaseFacts, wal: WalFindings | undefined): void {
    Object.assign(this.#circumstances, circumstancesOf(base, wal));
    if (wal === undefined) return;
    if (wal.last === undefined)
      this.#ledger.unknown.push(
        "The WAL has no transaction in it, so that no time within it is known.",
      );
    if (!base.hasManifest && wal.consistent === undefined)
      this.#ledger.unknown.push(
        "Nothing in the WAL or a manifest says where the base backup ended; only the server can tell that it became consistent.",
      );
  }

  async #recover(parts: Recovering): Promise<void> {
    const { folder, isolation, memory, base, wal, major } = parts;
    const bin = await programsOf(major, this.#settings.bin, this.#world);
    await folder.furnish();
    const control = await readControl(bin, folder.data, this.#world);
    if (typeof control === "string") {
      this.#ledger.damage(
        "structure",
        "global/pg_control",
        `PostgreSQL ${major} cannot read it: ${control.replace(/\.$/, "")}.`,
      );
      return;
    }
    this.#circumstances.server = `a throw-away server of PostgreSQL ${major} on this machine, with nothing of the source's configuration`;
    this.#circumstances.isolation = isolationInWords(isolation);
    const limit = new AbortController();
    using _watch = watchServer(
      folder.data,
      { time: this.#settings.time ?? 6 * 3_600_000, memory, free: 256 * MIB },
      (reached) => limit.abort(reached),
    );
    const world = { ...this.#world, signal: AbortSignal.any([this.#world.signal, limit.signal]) };
    await using server = new RecoveryServer(
      { bin, major, folder, isolation, memory, control, timeline: wal.timeline },
      world,
    );
    try {
      const arrived = await this.#arrive(server, parts);
      if (!arrived) return;
      await this.#take("comparison", () => this.#read(server, world));
      await this.#onwards(server, parts, control, world);
      if (!this.#ledger.isDamaged || this.#items.length > 0) this.#reached = this.#tier;
    } catch (error) {
      this.#world.signal.throwIfAborted();
      if (!(limit.signal.reason instanceof LimitReached)) throw error;
      this.#ledger.damage("limit", base.label?.label ?? "base backup", limit.signal.reason.message);
    }
  }

  /** Recovers to the goal, and holds what the server says of it to what the WAL says. */
  async #arrive(server: RecoveryServer, { began, wal }: Recovering): Promise<boolean> {
    const { target } = this.#settings;
    const arrival = await this.#take("recovery", () => server.recover(goalOf(target, wal)));
    if (arrival.at === "ended") {
      this.#ledger.damage(
        "recovery",
        "base backup",
        `The server did not come up from it: ${arrival.words}.`,
      );
      this.#world.log.group("What the server said", arrival.log.split("\n"));
      return false;
    }
    this.#restored = (performance.now() - began) / 1_000;
    server.user = await superuserOf(server);
    const state = await stateOf(server);
    this.#circumstances["recovered to"] =
      `${lsnText(state.lsn)}, last transaction ${state.time === undefined ? "unknown" : momentText(state.time)}`;
    if (target === undefined) holdEnd(state, wal, this.#ledger);
    else
      this.#circumstances["point in time"] = await holdTarget(
        ...([server, state, target, wal, this.#ledger] as const),
      );
    return true;
  }

  /** Beyond the target: that the WAL really goes on is seen from a transaction that appears. */
  async #onwards(
    server: RecoveryServer,
    parts: Recovering,
    control: ControlFacts,
    world: World,
  ): Promise<void> {
    const { next, stop } = parts.wal;
    const further = this.#settings.target === undefined ? undefined : (next ?? stop);
    if (further !== undefined) await this.#take("going on", () => this.#beyond(server, further));
    if (this.#settings.target !== undefined && next === undefined)
      this.#ledger.unknown.push(
        "No commit with a number follows the point in time; that recovery goes on was seen from the position in the WAL alone.",
      );
    if (this.#tier !== "full") return;
    this.#ledger.tier = "full";
    await this.#take("checks", async () => {
      const tools = {
        bin: await programsOf(parts.major, this.#settings.bin, world),
        isolation: parts.isolation,
        folder: parts.folder,
      };
      if (this.#settings.amcheck !== false) {
        if (this.#settings.target !== undefined) {
          await server.halt();
          const arrival = await server.recover("latest");
          if (arrival.at === "ended") {
            this.#ledger.damage(
              "recovery",
              "WAL",
              `Going on to the end of the WAL, the server gave up: ${arrival.words}.`,
            );
            return;
          }
        }
        await checkStructures(server, tools, this.#ledger, world);
      }
      await server.halt();
      if (control.checksums) await checkPages(tools, this.#ledger, world);
      else
        this.#ledger.unknown.push(
          "The cluster has no checksums of its pages (initdb --data-checksums), so that a flipped bit within a value cannot be told from what was written.",
        );
    });
  }

  async #beyond(server: RecoveryServer, further: Ending): Promise<void> {
    await server.halt();
    const arrival = await server.recover({ lsn: further.start });
    const subject = `transaction after the point in time`;
    if (arrival.at === "ended") {
      this.#ledger.damage(
        "point-in-time",
        subject,
        `Recovery does not go on behind the point in time: ${arrival.words}.`,
      );
      return;
    }
    const state = await stateOf(server);
    if (
      state.lsn < further.end ||
      (further.transaction > 0 && !(await isVisible(server, further)))
    ) {
      this.#ledger.damage(
        "point-in-time",
        subject,
        `The next transaction, ${further.transaction} of ${momentText(further.time)}, did not appear when recovery went on.`,
        {
          expected: lsnText(further.end),
          found: lsnText(state.lsn),
        },
      );
      return;
    }
    this.#circumstances["point in time"] +=
      `; going on, the next one (${momentText(further.time)}) appeared`;
  }

  /** Reads every row of every database, and compares what there is to compare with. */
  async #read(server: RecoveryServer, world: World): Promise<void> {
    const databases = await databasesOf(server);
    this.#circumstances.databases = databases.join(", ");
    const chosen = this.#chosen(databases);
    const items: Item[] = [];
    for (const database of databases) {
      const known =
        database === chosen && this.#backup.liveSource !== undefined
          ? await readLiveSource(this.#backup.liveSource, world.signal)
          : undefined;
      const found = await this.#fingerprint(server, database, known, world);
      if (found === undefined) continue;
      items.push(
        ...(database === chosen ? this.#compared(known, found) : itemsOf(found)).map((item) => ({
          ...item,
          name: databases.length > 1 ? `${database}: ${item.name}` : item.name,
        })),
      );
    }
    this.#items = items;
    const { queries = [] } = this.#backup;
    if (this.#tier === "full" && queries.length > 0 && chosen !== undefined) {
      await using session = await server.session(chosen);
      for (const finding of await askQueries(session, queries)) this.#ledger.add(finding);
    }
    if (this.#backup.liveSource === undefined)
      this.#ledger.unknown.push(
        "There is no fingerprint of the source and no live source: every row could be read, and whether rows are missing that the WAL does not have cannot be known beyond what was declared.",
      );
  }

  #chosen(databases: readonly string[]): string | undefined {
    const { database, liveSource, expectations, queries } = this.#backup;
    const others = databases.filter((name) => name !== "postgres");
    const one =
      database ?? (others.length === 1 ? others[0] : others.length === 0 ? "postgres" : undefined);
    const wanted =
      liveSource !== undefined || expectations !== undefined || (queries?.length ?? 0) > 0;
    if (one !== undefined && databases.includes(one)) return one;
    if (database !== undefined) {
      this.#ledger.damage("catalog", `database ${database}`, "It is not in the backup.", {
        expected: database,
        found: databases.join(", "),
      });
      return undefined;
    }
    if (!wanted) return undefined;
    throw new UserError({
      title: "It is not clear which database is meant",
      cause: `The base backup holds the databases ${databases.join(", ")}, and live-source, expectations and queries are about one.`,
      remedy: "Name it in `database`.",
    });
  }

  async #fingerprint(
    server: RecoveryServer,
    database: string,
    like: PostgresFingerprint | undefined,
    world: World,
  ): Promise<PostgresFingerprint | undefined> {
    try {
      const open = async () => {
        const session = await server.session(database);
        await session.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        return session;
      };
      return await takeFingerprint(
        { open },
        { parallel: this.#settings.jobs ?? 2, signal: world.signal, like },
      );
    } catch (error) {
      world.signal.throwIfAborted();
      const why =
        error instanceof UserError
          ? error.cause
          : String(error instanceof Error ? error.message : error);
      this.#ledger.damage(
        "restore",
        `database ${database}`,
        `It could not be read to its end: ${why.replace(/\.$/, "")}.`,
      );
      return undefined;
    }
  }

  #compared(known: PostgresFingerprint | undefined, found: PostgresFingerprint): readonly Item[] {
    const { expectations } = this.#backup;
    const tier = this.#tier === "full" ? "full" : "data";
    const declared =
      expectations === undefined ? undefined : fingerprintAgainst(expectations, found, { tier });
    for (const finding of declared?.findings ?? []) this.#ledger.add(finding);
    if (known === undefined) {
      this.#ledger.unknown.push(...(declared?.unknown ?? []));
      return declared?.items ?? itemsOf(found);
    }
    const compared = compareFingerprints(known, found, { tier });
    for (const finding of compared.findings) this.#ledger.add(sinceTheDump(finding));
    this.#ledger.unknown.push(
      ...compared.unknown,
      "It was held against the live source as it is now: what differs may have changed since.",
    );
    return compared.items;
  }

  async #take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const from = (performance.now() - this.#began) / 1_000;
    try {
      return await work();
    } finally {
      this.#phases.push({ name, from, to: (performance.now() - this.#began) / 1_000 });
    }
  }
}

interface Recovering {
  readonly base: BaseFacts;
  readonly wal: WalFindings;
  readonly folder: ClusterFolder;
  readonly isolation: Isolation;
  readonly memory: number;
  readonly major: number;
  readonly began: number;
}

function itemsOf(found: PostgresFingerprint): readonly Item[] {
  return Object.entries(found.tables).map(([name, { rows }]) => ({
    ...{ name, expected: undefined, found: rows, same: undefined },
  }));
}
