import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../failure/index.ts";
import type { KubeconfigOptions } from "../kubernetes/index.ts";
import { findPod, localPlace, type Place, type PodSettings, podPlace } from "../place/index.ts";
import { privateFolder } from "../process/index.ts";
import type { World } from "../world/index.ts";
import type { Connection } from "./connection.ts";
import { hasParameter, parseUrl, withParameters } from "./conninfo.ts";
import { podDefaults } from "./pod-defaults.ts";

/** Where a server is, as users say it: by a URL, a service, a pod, or PG* variables alone. */
export interface ConnectionSettings {
  /** `postgres://user:password@host:5432/database?sslmode=verify-full`. */
  readonly url?: string | undefined;
  /** A name in a service file. */
  readonly service?: string | undefined;
  /** libpq's own places for it when left out. */
  readonly serviceFile?: string | undefined;
  /** A pod that runs the server: clients run beside it, and connect by its local socket. */
  readonly pod?: (PodSettings & KubeconfigOptions) | undefined;
  /** Certificates (PEM) of whoever may have signed the server's. */
  readonly ca?: string | undefined;
  /** These three go before what the above say. */
  readonly database?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

/** Where clients run, and how they connect from there. */
export interface Reach {
  readonly place: Place;
  readonly connection: Connection;
}

/** What the names of containers that run PostgreSQL commonly are. */
const CONTAINERS = ["postgres", "postgresql", "database", "db", "patroni"];

/** A dead network is noticed within one and a half minutes. */
const KEEPALIVE = {
  keepalives_idle: "30",
  keepalives_interval: "10",
  keepalives_count: "6",
};

/**
 * Finds the place from which a server is reached, and the connection. Nothing is connected yet.
 *
 * @throws {UserError} when the settings contradict each other or cannot be read, or there is no
 * such pod.
 */
export async function reach(settings: ConnectionSettings, world: World): Promise<Reach> {
  const { url, service, pod } = settings;
  const given = [url, service, pod].filter((way) => way !== undefined);
  if (given.length > 1) {
    throw new UserError({
      title: "Several ways to one database",
      cause: "Of a URL, a service and a pod, more than one is given, and they may contradict.",
      remedy: "Give one of them.",
    });
  }
  if (settings.password !== undefined) world.secrets.add(settings.password);
  if (pod !== undefined) return reachPod(pod, settings, world);
  const place = localPlace(world.secrets);
  const connection = alive(connectionFrom(settings, world));
  return { place, connection: await trusting(connection, settings, world) };
}

/** Certificates are read from files only: one that is gone when this process is. */
async function trusting(
  connection: Connection,
  { ca, service }: ConnectionSettings,
  { environment }: World,
): Promise<Connection> {
  if (ca === undefined || ca.trim() === "") return connection;
  const { path } = await privateFolder("seaworthy-ca-", environment.RUNNER_TEMP);
  const file = join(path, "ca.pem");
  await writeFile(file, ca, { mode: 0o600 });
  const { conninfo } = connection;
  // Without a word on it, certificates would be accepted unseen.
  const silent =
    service === undefined && !hasParameter(conninfo, "sslmode") && !environment.PGSSLMODE;
  const sslmode = silent ? "verify-full" : undefined;
  return { ...connection, conninfo: withParameters(conninfo, { sslrootcert: file, sslmode }) };
}

/** The connection that settings without a pod mean. Adds passwords to the secrets. */
export function connectionFrom(
  settings: Omit<ConnectionSettings, "pod">,
  { environment, secrets }: Pick<World, "environment" | "secrets">,
): Connection {
  const { url, service, serviceFile, database, user } = settings;
  const own = (password: string | undefined) => {
    const chosen = settings.password ?? password;
    if (chosen !== undefined && chosen !== "") secrets.add(chosen);
    return { ...(chosen !== undefined && { PGPASSWORD: chosen }) };
  };
  const over = { dbname: database, user };
  if (url !== undefined) {
    const parsed = parseUrl(url);
    const named = database ?? (parsed.database || (user ?? parsed.user) || environment.PGDATABASE);
    return {
      subject: subjectOf(named, parsed.hosts || environment.PGHOST),
      conninfo: withParameters(parsed.conninfo, over),
      environment: own(parsed.password),
    };
  }
  if (environment.PGPASSWORD !== undefined) secrets.add(environment.PGPASSWORD);
  if (service !== undefined) {
    return {
      subject: `${database === undefined ? "the database" : `database ${database}`} of service ${service}`,
      conninfo: withParameters("", { service, ...over }),
      environment: {
        ...(serviceFile !== undefined && { PGSERVICEFILE: serviceFile }),
        ...own(undefined),
      },
    };
  }
  const { PGDATABASE, PGUSER, PGHOST, PGPORT, PGSERVICE } = environment;
  const port = PGPORT === undefined ? "" : `:${PGPORT}`;
  const subject =
    PGSERVICE === undefined
      ? subjectOf(database ?? PGDATABASE ?? user ?? PGUSER, PGHOST && `${PGHOST}${port}`)
      : `the database of service ${PGSERVICE}`;
  return { subject, conninfo: withParameters("", over), environment: own(undefined) };
}

function subjectOf(database: string | undefined, host: string | undefined): string {
  return `database ${database || "of the user's name"} of ${host || "this machine"}`;
}

function alive(connection: Connection): Connection {
  const { conninfo } = connection;
  const said = Object.keys(KEEPALIVE).some((name) => hasParameter(conninfo, name));
  return said ? connection : { ...connection, conninfo: withParameters(conninfo, KEEPALIVE) };
}

async function reachPod(
  pod: PodSettings & KubeconfigOptions,
  settings: ConnectionSettings,
  world: World,
): Promise<Reach> {
  const { connect } = await import("../kubernetes/index.ts");
  const cluster = await connect(pod, world);
  const where = await findPod(cluster, pod, CONTAINERS);
  const place = podPlace(cluster, where, world.secrets);
  const defaults = await podDefaults(place, world);
  const user = settings.user ?? defaults.user;
  const database = settings.database ?? defaults.database ?? user;
  const password =
    settings.password ?? (settings.user === undefined ? defaults.password : undefined);
  return {
    place,
    connection: {
      subject: `database ${database} in pod ${where.namespace}/${where.pod}`,
      conninfo: withParameters("", { dbname: database, user }),
      environment: { ...(password !== undefined && { PGPASSWORD: password }) },
    },
  };
}
