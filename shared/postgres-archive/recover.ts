import { totalmem } from "node:os";
import { type Isolation, isolationHere } from "../isolation/index.ts";
import type { ConnectionSettings } from "../postgres/index.ts";
import { LimitReached, watchServer } from "../postgres-restore/index.ts";
import type { World } from "../world/index.ts";
import { databasesOf, goalOf, holdEnd, holdTarget, judgeTarget, stateOf } from "./arrival.ts";
import { circumstancesOf } from "./circumstances.ts";
import { ClusterFolder } from "./cluster-folder.ts";
import { type BaseFiles, type Fetch, type Fetched, fetchBase } from "./fetch.ts";
import { handOver } from "./hand-over.ts";
import { Ledger } from "./ledger.ts";
import { diskFull, notRecoverable, noWal } from "./not-recoverable.ts";
import type { Decrypt } from "./plain-content.ts";
import { programsOf } from "./programs.ts";
import { readWal, type WalFindings } from "./read-wal.ts";
import { RecoveryServer } from "./recovery-server.ts";
import { readControl } from "./recovery-settings.ts";
import type { Repository, RepositoryBackup } from "./repository.ts";
import { superuserOf } from "./superuser.ts";
import { millisecondsOf, momentText, type RecoveryTarget } from "./target.ts";

/** How a cluster is recovered. */
export interface RecoverySettings {
  /** Undefined for the end of the WAL. */
  readonly target: RecoveryTarget | undefined;
  readonly timeline: "latest" | "current" | number;
  /** The folder of the server's programs. Found by the major version when left out. */
  readonly bin?: string | undefined;
  /** Where private folders are made; the system's temporary folder when left out. */
  readonly within?: string | undefined;
  /** Bytes. */
  readonly memory?: number | undefined;
  readonly decrypt?: Decrypt | undefined;
  /** Who the server runs as and its files belong to, where this process may choose; nobody unless said. */
  readonly owner?: Owner | undefined;
}

/** A user of this machine. */
interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** A cluster as it was at a moment, in a server of its own that goes when it is disposed of. */
export interface RecoveredCluster extends AsyncDisposable {
  readonly major: number;
  readonly databases: readonly string[];
  /** The moment that it shows, in milliseconds since the Unix epoch; undefined where nothing says it. */
  readonly moment: number | undefined;
  /** Of the base backup, unpacked. */
  readonly bytes: number;
  readonly circumstances: Readonly<Record<string, string>>;
  /** What cannot be known of it. */
  readonly unknown: readonly string[];
  /** Aborts when the server may not go on: the disk is nearly full, or it takes too much memory. */
  readonly signal: AbortSignal;
  /** How a database of it is reached from this machine. */
  connectionTo(database: string): ConnectionSettings;
  /**
   * Ends the server in good order, has every page of the cluster held to its checksum where it has
   * them, and moves the cluster, on the disk, into a folder, where another server can be started on it.
   *
   * @throws {UserError} where it is not whole, or the folder cannot take it.
   */
  handOver(folder: string): Promise<void>;
  /** Tables whose rows no physical backup has. */
  unloggedTables(database: string): Promise<readonly string[]>;
}

const MIB = 2 ** 20;
const LONGEST_MS = 30 * 24 * 3_600_000;

/**
 * Recovers a base backup to a moment, or to the end of its WAL: reads every byte of it and every
 * record of the WAL up to there; has a server of its own replay it, holds that to what the WAL says
 * of both sides of the moment, and lets it open there.
 *
 * WAL that is damaged or missing only after the moment is told, and is no failure.
 *
 * @throws {UserError} where the moment cannot be reached, with what can be; where programs of the
 * major version are missing; where the disk is full.
 */
export async function recoverBaseBackup(
  files: BaseFiles,
  settings: RecoverySettings,
  world: World,
): Promise<RecoveredCluster> {
  return await recover(fetchBase(files, settings.decrypt, world), settings, world);
}

/** The same from a repository of a tool. */
export async function recoverRepository(
  repository: Repository,
  set: RepositoryBackup,
  settings: RecoverySettings,
  world: World,
): Promise<RecoveredCluster> {
  return await recover(repository.fetch(set, world), settings, world);
}

async function recover(
  fetch: Fetch,
  settings: RecoverySettings,
  world: World,
): Promise<RecoveredCluster> {
  const stack = new AsyncDisposableStack();
  try {
    return await recoverIn(stack, fetch, settings, world);
  } catch (error) {
    await stack.disposeAsync();
    world.signal.throwIfAborted();
    throw diskFull(error) ?? error;
  }
}

async function recoverIn(
  stack: AsyncDisposableStack,
  fetch: Fetch,
  settings: RecoverySettings,
  world: World,
): Promise<RecoveredCluster> {
  const { memory = Math.floor(totalmem() / 2), target } = settings;
  const isolation = asOwner(await isolationHere(memory, world), settings.owner);
  const folder = stack.use(await ClusterFolder.make(settings.within, isolation.user));
  const ledger = new Ledger();
  world.log.info("Reading the base backup");
  const base = await fetch(folder, true, ledger);
  if (ledger.isDamaged || base.major === undefined || base.label === undefined)
    throw notRecoverable(ledger, undefined);
  await folder.putConfigurationAside();
  const wal = await walOf(base, folder, settings, ledger, world);
  if (wal === undefined || ledger.isDamaged) throw notRecoverable(ledger, wal);
  judgeTarget(target, base, wal, ledger);
  if (ledger.isDamaged) throw notRecoverable(ledger, wal);

  const bin = await programsOf(base.major, settings.bin, world);
  await folder.furnish();
  const control = await readControl(bin, folder.data, world);
  if (typeof control === "string") {
    ledger.damage("structure", "global/pg_control", `It cannot be read: ${control}.`);
    throw notRecoverable(ledger, wal);
  }
  const limit = new AbortController();
  stack.use(
    watchServer(folder.data, { time: LONGEST_MS, memory, free: 256 * MIB }, (reached) =>
      limit.abort(reached),
    ),
  );
  const signal = AbortSignal.any([world.signal, limit.signal]);
  const { major } = base;
  const server = stack.use(
    new RecoveryServer(
      { bin, major, folder, isolation, memory, control, timeline: wal.timeline },
      { ...world, signal },
    ),
  );
  try {
    world.log.info(
      `Recovering to ${target === undefined ? "the end of the WAL" : momentText(target.time)}`,
    );
    const place = await arrive(server, wal, settings, ledger);
    if (ledger.isDamaged) throw notRecoverable(ledger, wal);
    return {
      ...{ major, bytes: base.bytes, databases: await databasesOf(server), signal },
      moment: momentOf(base, wal, target),
      circumstances: { ...circumstancesOf(base, wal), ...place },
      unknown: [
        ...ledger.unknown,
        ...ledger.findings.map(({ subject, what }) => `${subject}: ${what}`),
      ],
      connectionTo: (database) => ({ url: server.urlOf(database) }),
      unloggedTables: (database) => unloggedTables(server, database),
      handOver: (to) =>
        handOver({ server, folder, to, tools: { bin, isolation, folder } }, control, world),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    if (limit.signal.reason instanceof LimitReached && !world.signal.aborted)
      throw limit.signal.reason;
    throw error;
  }
}

/** The same isolation for another user than nobody. */
function asOwner(isolation: Isolation, owner: Owner | undefined): Isolation {
  if (owner === undefined || isolation.user === undefined) return isolation;
  const prefix = isolation.prefix.map((argument) =>
    argument
      .replace(/^--reuid=\d+$/, `--reuid=${owner.uid}`)
      .replace(/^--regid=\d+$/, `--regid=${owner.gid}`),
  );
  return { ...isolation, prefix, user: owner };
}

/** Reads the WAL as far as it is needed; what is wrong only behind the target is told as a note. */
async function walOf(
  base: Fetched,
  folder: ClusterFolder,
  { target, timeline, decrypt }: RecoverySettings,
  ledger: Ledger,
  world: World,
): Promise<WalFindings | undefined> {
  const { label, major, ownWal, system, archived, ended } = base;
  if (label === undefined || major === undefined) return undefined;
  if (archived === undefined && ownWal.length === 0) throw noWal(label.segment);
  world.log.info("Reading the WAL");
  const own = new Ledger();
  const wal = await readWal(
    {
      ...{ label, major, system, ownWal, archived: archived ?? [], ended, target, timeline },
      ...{ folder, unpack: true, upToTarget: target !== undefined, decrypt },
    },
    own,
    world,
  );
  const isReached =
    target !== undefined && (wal?.stop !== undefined || wal?.last?.time === target.time);
  for (const finding of own.findings) {
    const { tier: _, ...told } = finding;
    if (!isReached || finding.weight !== "damage") ledger.add(told);
    else
      ledger.note(
        finding.detector,
        finding.subject,
        `${finding.what} It lies behind the moment that was recovered to.`,
      );
  }
  ledger.unknown.push(...own.unknown);
  return wal;
}

/** Has the server recover, holds where it stands, and opens it there. */
async function arrive(
  server: RecoveryServer,
  wal: WalFindings,
  { target }: RecoverySettings,
  ledger: Ledger,
): Promise<Readonly<Record<string, string>>> {
  const arrival = await server.recover(goalOf(target, wal));
  if (arrival.at === "ended") {
    ledger.damage(
      "recovery",
      "base backup",
      `The server did not come up from it: ${arrival.words}.`,
    );
    throw notRecoverable(ledger, wal, arrival.log);
  }
  server.user = await superuserOf(server);
  const state = await stateOf(server);
  if (target === undefined) {
    holdEnd(state, wal, ledger);
    return { "recovered to": "the end of the WAL" };
  }
  const place = await holdTarget(server, state, target, wal, ledger);
  if (!ledger.isDamaged) await server.open();
  return { "recovered to": place };
}

function momentOf(
  { label }: Fetched,
  { last }: WalFindings,
  target: RecoveryTarget | undefined,
): number | undefined {
  if (target !== undefined) return millisecondsOf(target.time);
  if (last !== undefined) return millisecondsOf(last.time);
  const began = Date.parse(label?.began.replace(/ (UTC|GMT)$/, "Z") ?? "");
  return Number.isNaN(began) ? undefined : began;
}

async function unloggedTables(
  server: RecoveryServer,
  database: string,
): Promise<readonly string[]> {
  await using session = await server.session(database);
  const rows = await session.query<{ readonly name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND c.relpersistence = 'u' ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}
