import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import type { BackupSource, Captured, PartSink } from "../backup/index.ts";
import { UserError } from "../failure/index.ts";
import type { Place } from "../place/index.ts";
import {
  type Clients,
  type Connection,
  findClients,
  findPsql,
  openSession,
  reach,
  type ServerFacts,
  type Session,
  serverFacts,
  withParameters,
} from "../postgres/index.ts";
import { type PostgresFingerprint, takeFingerprint } from "../postgres-fingerprint/index.ts";
import type { World } from "../world/index.ts";
import { capturedFrom } from "./captured.ts";
import { safeArguments } from "./extra-arguments.ts";
import { readLargeObjectFacts } from "./large-objects.ts";
import { obstaclesTo, obstructed } from "./obstacles.ts";
import { readRelations, readSchemas } from "./relations.ts";
import { type Selection, select } from "./selection.ts";
import type { DumpSettings } from "./settings.ts";
import { enter, holdSnapshot, type Snapshot } from "./snapshot.ts";
import { type Dumping, writeDump, writeGlobals } from "./writing.ts";

const OLDEST_MAJOR = 14;
const LOCK_WAIT_S = 60;
const MOST_SECONDS_BEHIND = 300;

/**
 * A PostgreSQL database as something to back up: pg_dump and a fingerprint, both in one snapshot.
 * It is only ever read.
 */
export function postgresSource(settings: DumpSettings): BackupSource {
  let subject = "a PostgreSQL database";
  return {
    kind: "postgres",
    /** Known better once the database has answered. */
    get subject() {
      return subject;
    },
    async capture(sink, world) {
      const args = safeArguments(settings.extraArguments ?? []);
      refuseContradictions(settings);
      const access = await openAccess(settings, world);
      try {
        subject = access.connection.subject;
        return await captureFrom(access, { ...settings, extraArguments: args }, sink);
      } finally {
        await access[Symbol.asyncDispose]();
      }
    },
  };
}

function refuseContradictions({ format, connection, jobs }: DumpSettings): void {
  if (format === "directory" && connection.pod !== undefined) {
    throw new UserError({
      title: "No directory format from a pod",
      cause:
        "A dump in the directory format is written to files, and nothing is to be kept on the pod's node.",
      remedy: "Use the custom format, which is streamed, or connect to the server by its address.",
    });
  }
  if (jobs !== undefined && jobs > 1 && format !== "directory") {
    throw new UserError({
      title: "Parallel jobs need the directory format",
      cause: `pg_dump writes the ${format} format with one worker, and ${jobs} jobs are asked for.`,
      remedy: "Use the directory format, or leave out the number of jobs.",
    });
  }
}

/** A database that answers, with what is known of it and all that reads it. */
interface Access extends AsyncDisposable {
  readonly place: Place;
  /** To the very server that answered first. */
  readonly connection: Connection;
  readonly session: Session;
  readonly server: ServerFacts;
  readonly clients: Clients;
  readonly world: World;
  /** Aborts also when one of those who read fails, so that the others end. */
  readonly signal: AbortSignal;
  readonly abort: (reason: unknown) => void;
  open(first?: readonly string[]): Promise<Session>;
}

async function openAccess(settings: DumpSettings, world: World): Promise<Access> {
  const { place, connection } = await reach(settings.connection, world);
  const work = new AbortController();
  const signal = AbortSignal.any([world.signal, work.signal]);
  const folder = settings.binaries;
  const psql = await findPsql(place, { signal, folder });
  const mark = newMark();
  const session = await openSession(place, connection, { signal, psql, first: [mark.set] });
  try {
    const server = await serverFacts(session);
    refuseOldServer(server);
    const clients = await findClients(place, server.major, { signal, folder });
    const pinned = pinnedTo(connection, session);
    return {
      place,
      connection: pinned,
      session,
      server,
      clients,
      world,
      signal,
      abort: (reason) => work.abort(reason),
      open: async (first = []) => {
        const own = newMark();
        const opened = await openSession(place, pinned, {
          signal,
          psql: clients.psql,
          first: [own.set, ...first],
        });
        try {
          await refusePooler(opened, own, pinned);
          // While that one is in a transaction of its own, a pooler gives the first another.
          await refusePooler(session, mark, pinned);
        } catch (error) {
          await opened.close();
          throw error;
        }
        return opened;
      },
      [Symbol.asyncDispose]: () => session.close(),
    };
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** A snapshot holds on one server: of several hosts, the one that answered. */
function pinnedTo(connection: Connection, { endpoint }: Session): Connection {
  const { host, port, database } = endpoint;
  const where = host.startsWith("/") ? "this machine" : `${host}:${port}`;
  const inPod = connection.subject.includes(" in pod ");
  return {
    ...connection,
    subject: inPod ? connection.subject : `database ${database} of ${where}`,
    conninfo: withParameters(connection.conninfo, {
      host: host === "" ? undefined : host,
      port: port === "" ? undefined : port,
    }),
  };
}

/** A setting of no meaning, by which a connection knows itself. */
interface Mark {
  readonly value: string;
  readonly set: string;
}

function newMark(): Mark {
  const value = randomBytes(8).toString("hex");
  return { value, set: `SELECT pg_catalog.set_config('seaworthy.session', '${value}', false)` };
}

/** A pooler that hands statements to changing connections loses what was set for them. */
async function refusePooler(
  session: Session,
  { value }: Mark,
  { subject }: Connection,
): Promise<void> {
  const [row] = await session.query<{ readonly ours: boolean }>(
    `SELECT current_setting('seaworthy.session', true) IS NOT DISTINCT FROM '${value}' AS ours`,
  );
  if (row?.ours === true) return;
  throw new UserError({
    title: "A connection pooler is in the way",
    cause: `On the way to ${subject} somebody gives every transaction another connection (as pgbouncer does with pool_mode = transaction), so that settings and snapshots do not hold.`,
    remedy: "Connect to the server itself, past the pooler, or to a pool of pool_mode = session.",
  });
}

function refuseOldServer({ major, version }: ServerFacts): void {
  if (major >= OLDEST_MAJOR) return;
  throw new UserError({
    title: `PostgreSQL ${major} is too old`,
    cause: `The server is of PostgreSQL ${version}, and backups are proven from ${OLDEST_MAJOR} on.`,
    remedy: "Upgrade the server; its own project no longer mends this version.",
  });
}

async function captureFrom(
  access: Access,
  settings: DumpSettings,
  sink: PartSink,
): Promise<Captured> {
  const { server, session, connection } = access;
  const { lockWaitSeconds = LOCK_WAIT_S, mostSecondsBehind = MOST_SECONDS_BEHIND } = settings;
  const contents = {
    relations: await readRelations(session),
    schemas: await readSchemas(session),
  };
  const selection = await select(session, contents, settings);
  const largeObjects = await readLargeObjectFacts(session);
  const obstacles = obstaclesTo({ server, selection, largeObjects, mostSecondsBehind });
  const failure = obstructed(obstacles, connection.subject);
  if (failure !== undefined) throw failure;

  await using holder = await access.open();
  const snapshot = await holdSnapshot(holder, {
    relations: selection.relations,
    lockWaitSeconds,
    observer: session,
  });
  const dumping: Dumping = {
    ...access,
    snapshot: snapshot.id,
    format: settings.format,
    jobs: settings.jobs ?? 1,
    lockWaitSeconds,
    args: [...selection.args, ...(settings.extraArguments ?? [])],
    temporary: access.world.environment.RUNNER_TEMP,
  };
  const fingerprint = await readAndDump(access, { settings, selection, snapshot, dumping, sink });
  return capturedFrom({ ...access, settings, selection, snapshot, fingerprint });
}

interface Reading {
  readonly settings: DumpSettings;
  readonly selection: Selection;
  readonly snapshot: Snapshot;
  readonly dumping: Dumping;
  readonly sink: PartSink;
}

/** Dumps and takes the fingerprint at once; where one fails, the other is ended. */
async function readAndDump(access: Access, reading: Reading): Promise<PostgresFingerprint> {
  const { settings, dumping, sink } = reading;
  // Sequences know no snapshot: what the dump holds of them must be no earlier than what is proven.
  const sequences = Promise.withResolvers<void>();
  const ended = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      access.abort(error);
      throw error;
    }
  };
  const fingerprint = ended(fingerprintOf(access, reading, sequences.resolve));
  const dump = ended(
    Promise.race([sequences.promise, fingerprint]).then(async () => {
      await writeDump(dumping, sink);
      if (settings.globals === true) {
        await writeGlobals(dumping, { passwords: access.server.superuser }, sink);
      }
    }),
  );
  const [taken] = await Promise.allSettled([fingerprint, dump]);
  access.world.signal.throwIfAborted();
  // The first failure is the cause; the others were ended for it.
  if (access.signal.aborted) throw access.signal.reason;
  if (taken.status === "rejected") throw taken.reason;
  return taken.value;
}

function fingerprintOf(
  { open, signal }: Access,
  { settings, selection, snapshot }: Reading,
  onSequences: () => void,
): Promise<PostgresFingerprint> {
  const { excludedSchemas, excludedTables, excludedData, holdsLargeObjects } = selection;
  return takeFingerprint(
    { open: () => open(enter(snapshot)) },
    {
      parallel: settings.readers ?? Math.max(1, Math.min(4, availableParallelism() - 1)),
      excluded: {
        schemas: excludedSchemas,
        tables: excludedTables,
        data: excludedData,
        largeObjects: !holdsLargeObjects,
      },
      includedOnly: selection.includedTables,
      includedSchemas: selection.includedSchemas,
      heartbeat: settings.heartbeat,
      signal,
      onSequences,
    },
  );
}
