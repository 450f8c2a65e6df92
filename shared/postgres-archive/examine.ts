import { totalmem } from "node:os";
import type { Dump } from "../dump-format/index.ts";
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
  findServerPrograms,
  LimitReached,
  type LiveSource,
  NoServerPrograms,
  readLiveSource,
  sinceTheDump,
  watchServer,
} from "../postgres-restore/index.ts";
import type { Examination, ExaminationPhase, Item, Tier } from "../proof/index.ts";
import type { World } from "../world/index.ts";
import { ClusterFolder } from "./cluster-folder.ts";
import { Ledger } from "./ledger.ts";
import {
  type Repository,
  type RepositoryBackup,
  restoreSet,
  verifyRepository,
} from "./pgbackrest.ts";
import type { Decrypt } from "./plain-content.ts";
import { type BaseFacts, readBase } from "./read-base.ts";
import { type Ending, readWal, type WalFindings } from "./read-wal.ts";
import { RecoveryServer } from "./recovery-server.ts";
import { type ControlFacts, type Goal, readControl } from "./recovery-settings.ts";
import { lsnText } from "./segment.ts";
import { checkPages, checkStructures } from "./structures.ts";
import { superuserOf } from "./superuser.ts";
import { millisecondsOf, momentText, type RecoveryTarget } from "./target.ts";
import type { WalFile } from "./wal-archive.ts";

/** A base backup, its WAL, and what they are held against. */
export interface BaseBackup extends Known {
  readonly base: Dump;
  /** The archive; undefined where only the WAL within the base backup is meant. */
  readonly archived: readonly WalFile[] | undefined;
}

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
  const { base, archived } = backup;
  const { decrypt } = settings;
  const fetch: Fetch = async (folder, unpack, ledger) => ({
    ...(await readBase(base, { folder, unpack, decrypt }, ledger, world)),
    archived,
  });
  return await new BaseProof({ backup, fetch, settings, tier, world }).all();
}

/**
 * Proves a backup in a repository of pgBackRest in the same way. At the tier `integrity` pgbackrest's
 * own check is all that there is.
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
  const fetch: Fetch = async (folder, unpack, ledger) => {
    await verifyRepository(repository, ledger, world);
    if (set.failed)
      ledger.damage(
        "checksum",
        set.label,
        "The server found pages with wrong checksums when it was taken.",
      );
    if (unpack && !ledger.isDamaged)
      return await restoreSet(repository, set, folder, ledger, world);
    return NOTHING;
  };
  return await new BaseProof({ backup: known, fetch, settings, tier, world }).all();
}

const NOTHING: Fetched = {
  ...{ major: undefined, system: undefined, label: undefined, hasManifest: true },
  ...{ ended: undefined, ownWal: [], archived: [], bytes: 0, files: undefined },
};

type Fetched = BaseFacts & { readonly archived: readonly WalFile[] | undefined };

/** Gets the base backup, into the folder where it is to be unpacked. */
type Fetch = (folder: ClusterFolder, unpack: boolean, ledger: Ledger) => Promise<Fetched>;

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
    this.#judgeTarget(base, wal);
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

  /** Whether the wanted moment is within what can be recovered to. */
  #judgeTarget(base: BaseFacts, wal: WalFindings | undefined): void {
    const { target } = this.#settings;
    if (target === undefined || wal === undefined || this.#ledger.isDamaged) return;
    const wanted = momentText(target.time);
    const { stop, consistent, last } = wal;
    const began = Date.parse(
      base.label?.began.replace(/ (\S+)$/, (_, zone: string) =>
        /^(UTC|GMT)$/.test(zone) ? "Z" : ` ${zone}`,
      ) ?? "",
    );
    const tooEarly = stop !== undefined && consistent !== undefined && stop.start < consistent;
    const beforeBegin = !Number.isNaN(began) && millisecondsOf(target.time) < began;
    if (tooEarly || beforeBegin) {
      this.#ledger.damage(
        "point-in-time",
        `point in time ${wanted}`,
        `It is before the end of the base backup (which began at ${base.label?.began}): a base backup can only be recovered to a moment after it. An older one is needed.`,
        {
          expected: `later than ${consistent === undefined ? base.label?.began : lsnText(consistent)}`,
          found: wanted,
        },
      );
    } else if (stop === undefined) {
      this.#ledger.damage(
        "point-in-time",
        `point in time ${wanted}`,
        last === undefined
          ? "The WAL has no transaction in it, so that nothing tells where this moment lies."
          : `It is beyond the end of the WAL: its last transaction ended at ${momentText(last.time)}, and nothing later can be recovered or told from what was lost.`,
        {
          expected: `a transaction later than ${wanted}`,
          found: last === undefined ? "none" : momentText(last.time),
        },
      );
    }
  }

  #describe(base: BaseFacts, wal: WalFindings | undefined): void {
    const facts = this.#circumstances;
    if (base.label !== undefined)
      facts["base backup"] =
        `PostgreSQL ${base.major}, ${base.files === undefined ? "" : `${base.files} files, `}${base.label.label}, begun at ${base.label.began}, WAL ${lsnText(base.label.start)}`;
    if (wal === undefined) return;
    facts.wal = `${wal.segments} segments, ${wal.records} records and ${wal.commits} commits from ${lsnText(wal.start)} to ${lsnText(wal.end)}, on timeline ${wal.timeline}`;
    if (wal.last !== undefined) facts["last transaction"] = momentText(wal.last.time);
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
    const bin = await this.#programs(major);
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
    this.#circumstances.isolation = isolationOf(isolation);
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

  async #programs(major: number): Promise<string> {
    try {
      return (await findServerPrograms({ major, bin: this.#settings.bin }, this.#world)).folder;
    } catch (error) {
      if (!(error instanceof NoServerPrograms)) throw error;
      throw new UserError(
        {
          title: error.title,
          cause: `${error.cause} A base backup is read by a server of its own major version on this machine, and by no other.`,
          remedy: `Install them in an earlier step (Debian and Ubuntu: the package postgresql-${major} of apt.postgresql.org), or name their folder in \`postgres-bin\`.`,
        },
        { reason: error },
      );
    }
  }

  /** Recovers to the goal, and holds what the server says of it to what the WAL says. */
  async #arrive(server: RecoveryServer, { began, wal }: Recovering): Promise<boolean> {
    const { target } = this.#settings;
    const goal: Goal = target === undefined ? "latest" : { time: target.time };
    const arrival = await this.#take("recovery", () => server.recover(goal));
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
    if (target === undefined) this.#holdEnd(state, wal);
    else await this.#holdTarget(server, state, wal);
    return true;
  }

  #holdEnd(state: State, wal: WalFindings): void {
    if (state.lsn < (wal.last?.end ?? wal.end)) {
      this.#ledger.damage(
        "recovery",
        "WAL",
        "The server ended recovery before the end of the WAL.",
        {
          expected: lsnText(wal.end),
          found: lsnText(state.lsn),
        },
      );
    } else if (wal.last !== undefined && state.time !== wal.last.time) {
      this.#ledger.damage(
        "recovery",
        "WAL",
        "The last transaction that the server replayed is not the last one of the WAL.",
        {
          expected: momentText(wal.last.time),
          found: state.time === undefined ? "none" : momentText(state.time),
        },
      );
    }
  }

  /** This side of the target: everything up to it, and nothing behind it. */
  async #holdTarget(
    server: RecoveryServer,
    state: State,
    { before, stop, next, consistent }: WalFindings,
  ): Promise<void> {
    if (stop === undefined) return;
    const subject = `point in time ${momentText(this.#settings.target?.time ?? 0)}`;
    const bounds = `between the transactions of ${before === undefined ? "the beginning" : momentText(before.time)} and ${momentText(stop.time)}`;
    this.#circumstances["point in time"] =
      `${momentText(this.#settings.target?.time ?? 0)}, ${bounds}`;
    if (state.lsn > stop.start || state.lsn < (before?.end ?? consistent ?? 0)) {
      this.#ledger.damage("point-in-time", subject, `The server did not stop ${bounds}.`, {
        expected: `${before === undefined ? "" : lsnText(before.end)} to ${lsnText(stop.start)}`,
        found: lsnText(state.lsn),
      });
    }
    if (state.time !== undefined && before !== undefined && state.time !== before.time) {
      this.#ledger.damage(
        "point-in-time",
        subject,
        "The last transaction that it replayed is not the last one before this moment.",
        {
          expected: momentText(before.time),
          found: momentText(state.time),
        },
      );
    }
    if (next !== undefined && (await isVisible(server, next))) {
      this.#ledger.damage(
        "point-in-time",
        subject,
        `Transaction ${next.transaction}, committed later, at ${momentText(next.time)}, is there already.`,
      );
    }
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
        bin: await this.#programs(parts.major),
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

interface State {
  readonly lsn: number;
  readonly time: number | undefined;
}

/** How far the server says that it replayed. */
async function stateOf(server: RecoveryServer): Promise<State> {
  await using session = await server.session("postgres");
  const [row] = await session.query<{ lsn: string; time: string | null }>(
    `SELECT (pg_last_wal_replay_lsn() - '0/0')::text AS lsn,
            round(extract(epoch FROM pg_last_xact_replay_timestamp() - '2000-01-01 00:00:00+00'::timestamptz) * 1000000)::text AS time`,
  );
  return { lsn: Number(row?.lsn ?? 0), time: row?.time == null ? undefined : Number(row.time) };
}

/** Whether what a transaction wrote can be seen. */
async function isVisible(server: RecoveryServer, { transaction }: Ending): Promise<boolean> {
  await using session = await server.session("postgres");
  const [row] = await session.query<{ seen: boolean }>(
    `SELECT pg_visible_in_snapshot((epoch.base + ${transaction})::text::xid8, pg_current_snapshot()) AS seen
     FROM (SELECT (pg_snapshot_xmax(pg_current_snapshot())::text::numeric / 4294967296)::numeric AS x) now,
          LATERAL (SELECT trunc(now.x) * 4294967296 AS base) epoch`,
  );
  return row?.seen === true;
}

async function databasesOf(server: RecoveryServer): Promise<readonly string[]> {
  await using session = await server.session("postgres");
  const rows = await session.query<{ name: string }>(
    "SELECT datname AS name FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname",
  );
  return rows.map(({ name }) => name);
}

function itemsOf(found: PostgresFingerprint): readonly Item[] {
  return Object.entries(found.tables).map(([name, { rows }]) => ({
    ...{ name, expected: undefined, found: rows, same: undefined },
  }));
}

function isolationOf({ safeguards }: Isolation): string {
  const had = safeguards.filter((safeguard) => safeguard.had).map(({ name }) => name);
  const missed = safeguards
    .filter((safeguard) => !safeguard.had)
    .map(({ name, detail }) => `without ${name} (${detail})`);
  return [...(had.length > 0 ? [`with ${had.join(", ")}`] : []), ...missed].join("; ");
}

function noWal(segment: string): UserError {
  return new UserError({
    title: "The base backup's WAL was not named",
    cause: `The base backup has no WAL in it, and recovery begins in segment ${segment}; \`wal\` is not given.`,
    remedy: "Name the folder of the storage with the archived WAL in `wal`.",
  });
}
