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
  type Session,
  serverFacts,
} from "../../../shared/postgres/index.ts";
import type { World } from "../../../shared/world/index.ts";
import type { Options } from "../inputs.ts";

/** The server of a real target. */
export interface TargetServer {
  readonly place: Place;
  readonly clients: Clients;
  readonly major: number;
  /** The database that is restored. */
  readonly database: string;
  /** How any database of the server is reached. */
  readonly settings: ConnectionSettings;
  connectionTo(database: string): Promise<Connection>;
  /** @param first statements to begin with. */
  open(database: string, first?: readonly string[], signal?: AbortSignal): Promise<Session>;
}

/** Where one connects to make, drop and rename other databases. */
const MAINTENANCE = "postgres";

/**
 * Finds the server of the target, and the programs to restore with.
 *
 * @throws {UserError} where it cannot be reached, or the database was not named.
 */
export async function openServer(options: Options, world: World): Promise<TargetServer> {
  const settings = { ...connectionSettings(options.target, options), ca: options.targetCa };
  const database = databaseOf(options, world);
  const { signal } = world;
  const { place, connection } = await reach({ ...settings, database: MAINTENANCE }, world);
  const connectionTo = async (name: string) =>
    (await reach({ ...settings, database: name }, world)).connection;
  const psql = await findPsql(place, { signal, folder: options.postgresBin });
  await using session = await openSession(place, connection, { signal, psql });
  const { major } = await serverFacts(session);
  const clients = await findClients(place, major, { signal, folder: options.postgresBin });
  return {
    ...{ place, clients, major, database, settings, connectionTo },
    open: async (name, first = [], until = signal) =>
      openSession(place, await connectionTo(name), { signal: until, psql: clients.psql, first }),
  };
}

/** A session beside all databases that are worked on. */
export async function openMaintenance(
  server: TargetServer,
  signal?: AbortSignal,
): Promise<Session> {
  return await server.open(MAINTENANCE, [], signal);
}

/** The database that is meant: by its own input, else in the address, else by PGDATABASE. */
function databaseOf({ database, target }: Options, { environment }: World): string {
  const named = target === undefined ? undefined : parseUrl(target).database;
  const found = database ?? (named || environment.PGDATABASE);
  if (found === undefined || found === "") {
    throw new UserError({
      title: "The database to restore into was not named",
      cause: "Neither the input database nor the address of target names one.",
      remedy: "Give database. Nothing was changed.",
    });
  }
  if (found === MAINTENANCE) {
    throw new UserError({
      title: "The database postgres cannot be switched",
      cause: "The database named postgres is where this step connects to while it changes others.",
      remedy: "Give another database. Nothing was changed.",
    });
  }
  return found;
}
