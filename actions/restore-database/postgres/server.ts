import { connectionSettings } from "../../../shared/backup-inputs/index.ts";
import { UserError } from "../../../shared/failure/index.ts";
import type { Place } from "../../../shared/place/index.ts";
import {
  type Clients,
  type Connection,
  type ConnectionSettings,
  findClients,
  findPsql,
  openSession,
  parseUrl,
  reach,
  type ServerFacts,
  type Session,
  serverFacts,
} from "../../../shared/postgres/index.ts";
import type { World } from "../../../shared/world/index.ts";
import type { Options } from "../inputs.ts";

/** The server of a real target. */
export interface TargetServer {
  readonly place: Place;
  readonly clients: Clients;
  readonly facts: ServerFacts;
  /** Where one connects to make, drop and rename other databases. */
  readonly maintenance: string;
  /** The database that is restored. */
  readonly database: string;
  /** How any database of the server is reached. */
  readonly settings: ConnectionSettings;
  connectionTo(database: string): Promise<Connection>;
  /** @param first statements to begin with. */
  open(database: string, first?: readonly string[], signal?: AbortSignal): Promise<Session>;
}

const MAINTENANCE = "postgres";

/**
 * Finds the server of the target, and the programs to restore with.
 *
 * @param dumper the major of the pg_dump that made the backup: an older pg_restore cannot read it.
 * @throws {UserError} where it cannot be reached or written to, or the database was not named.
 */
export async function openServer(
  options: Options,
  dumper: number,
  world: World,
): Promise<TargetServer> {
  const settings = { ...connectionSettings(options.target, options), ca: options.targetCa };
  const database = databaseOf(options, world);
  const { signal } = world;
  const { place } = await reach({ ...settings, database }, world);
  const connectionTo = async (name: string) =>
    (await reach({ ...settings, database: name }, world)).connection;
  const psql = await findPsql(place, { signal, folder: options.postgresBin });
  // In place, nothing but the database itself is needed, and no more may be allowed.
  const maintenance =
    options.method === "in-place" || database === MAINTENANCE ? database : MAINTENANCE;
  await using session = await openSession(place, await connectionTo(maintenance), { signal, psql });
  const facts = await serverFacts(session);
  await requireWritable(session, facts);
  const clients = await clientsFor({ place, facts }, dumper, options, world);
  return {
    ...{ place, clients, facts, maintenance, database, settings, connectionTo },
    open: async (name, first = [], until = signal) =>
      openSession(place, await connectionTo(name), { signal: until, psql: clients.psql, first }),
  };
}

/**
 * The server, with programs that can read a dump.
 *
 * @throws {UserError} where there are none that are new enough.
 */
export async function ableToRead(
  dumper: number,
  server: TargetServer,
  options: Options,
  world: World,
): Promise<TargetServer> {
  if (dumper <= server.clients.major) return server;
  return { ...server, clients: await clientsFor(server, dumper, options, world) };
}

async function clientsFor(
  { place, facts }: Pick<TargetServer, "place" | "facts">,
  dumper: number,
  { postgresBin: folder }: Options,
  { signal }: World,
): Promise<Clients> {
  return await findClients(place, Math.max(facts.major, dumper), { signal, folder }).catch(
    (error: unknown) => {
      throw dumper > facts.major ? tooOld(error, dumper, facts) : error;
    },
  );
}

function tooOld(error: unknown, dumper: number, { version }: ServerFacts): unknown {
  if (!(error instanceof UserError)) return error;
  return new UserError(
    {
      title: `No pg_restore for a backup of PostgreSQL ${dumper}`,
      cause: `The backup was made by pg_dump ${dumper}, which older programs cannot read; the target's server is of ${version}, and what is there is too old.`,
      remedy: `Install postgresql-client-${dumper} beside the server's, or name the folder of its programs by postgres-bin. Nothing was changed.`,
    },
    { reason: error },
  );
}

async function requireWritable(session: Session, { standby }: ServerFacts): Promise<void> {
  const remedy = "Give the address of the primary server. Nothing was changed.";
  if (standby !== undefined) {
    const { host, port } = session.endpoint;
    const cause = `${host}:${port} follows another server, and takes no changes of its own.`;
    throw new UserError({ title: "The target is a standby", cause, remedy });
  }
  const [mode] = await session.query<{ readonly only: string }>(
    "SELECT current_setting('default_transaction_read_only') AS only",
  );
  if (mode?.only !== "on") return;
  throw new UserError({
    title: "The target only reads",
    cause: "default_transaction_read_only is on for this account, database or server.",
    remedy: `Take that setting back for the restore, or: ${remedy}`,
  });
}

/** A session beside all databases that are worked on. */
export async function openMaintenance(
  server: TargetServer,
  signal?: AbortSignal,
): Promise<Session> {
  return await server.open(server.maintenance, [], signal);
}

/** The database that is meant: by its own input, else in the address, else by PGDATABASE. */
function databaseOf({ database, target, method }: Options, { environment }: World): string {
  const named = target === undefined ? undefined : parseUrl(target).database;
  const found = database ?? (named || environment.PGDATABASE);
  if (found === undefined || found === "") {
    throw new UserError({
      title: "The database to restore into was not named",
      cause: "Neither the input database nor the address of target names one.",
      remedy: "Give database. Nothing was changed.",
    });
  }
  if (found === MAINTENANCE && method === "switch") {
    throw new UserError({
      title: "The database postgres cannot be switched",
      cause: "The database named postgres is where this step connects to while it changes others.",
      remedy:
        "Give another database, or method: in-place, which empties it and restores into it. Nothing was changed.",
    });
  }
  return found;
}
