import { UserError } from "../failure/index.ts";
import type { Place } from "../place/index.ts";

/** Client programs of one version, as a place starts them. */
export interface Clients {
  readonly psql: string;
  readonly pgDump: string;
  readonly pgDumpall: string;
  readonly pgRestore: string;
  /** `16.4`. */
  readonly version: string;
  readonly major: number;
}

/** No release beyond this is looked for in folders of its own. */
const NEWEST_MAJOR = 20;

/** Where packages put the programs of a major. */
const foldersOf = (major: number): readonly string[] => [
  `/usr/lib/postgresql/${major}/bin`,
  `/usr/pgsql-${major}/bin`,
  `/usr/libexec/postgresql${major}`,
  `/opt/homebrew/opt/postgresql@${major}/bin`,
];
const COMMON_FOLDERS = ["/usr/local/pgsql/bin", "/opt/bitnami/postgresql/bin", "/usr/local/bin"];

export interface FindOptions {
  readonly signal: AbortSignal;
  /** The folder where they are; nowhere else is looked then. */
  readonly folder?: string | undefined;
}

/**
 * Finds the client programs for a server: those of its own major where there are any, else the
 * nearest newer ones. Older ones refuse to dump it.
 *
 * @throws {UserError} that says what was found and what to install.
 */
export async function findClients(
  place: Place,
  major: number,
  { signal, folder }: FindOptions,
): Promise<Clients> {
  const found: Clients[] = [];
  for (const candidate of candidatesFor(major, folder)) {
    const clients = await clientsIn(place, candidate, signal);
    if (clients === undefined) continue;
    if (clients.major === major) return clients;
    found.push(clients);
  }
  const newer = found.filter((each) => each.major > major).sort((a, b) => a.major - b.major);
  const [nearest] = newer;
  if (nearest !== undefined) return nearest;
  throw missing(place, major, found, folder);
}

/** Folders to look into, in this order; the empty one stands for the PATH. */
export function candidatesFor(major: number, folder: string | undefined): readonly string[] {
  if (folder !== undefined) return [folder];
  const newer = Array.from({ length: NEWEST_MAJOR - major }, (_, i) => major + 1 + i);
  return ["", ...[major, ...newer].flatMap(foldersOf), ...COMMON_FOLDERS];
}

/** A psql of any version that sessions can use, to ask a server which it is. */
export async function findPsql(place: Place, { signal, folder }: FindOptions): Promise<string> {
  const majors = Array.from({ length: NEWEST_MAJOR - 13 }, (_, i) => NEWEST_MAJOR - i);
  const folders =
    folder === undefined ? ["", ...majors.flatMap(foldersOf), ...COMMON_FOLDERS] : [folder];
  for (const candidate of folders) {
    const program = within(candidate, "psql");
    if ((await versionOf(place, program, signal)) !== undefined) return program;
  }
  throw new UserError({
    title: "psql is missing",
    cause: `psql was not found ${folder === undefined ? `on the PATH of ${place.name}, nor in the folders of packages` : `in ${folder} on ${place.name}`}.`,
    remedy:
      "Install PostgreSQL's client programs of the server's major version (postgresql-client-N), or name the folder where they are.",
  });
}

async function clientsIn(
  place: Place,
  folder: string,
  signal: AbortSignal,
): Promise<Clients | undefined> {
  const pgDump = within(folder, "pg_dump");
  const version = await versionOf(place, pgDump, signal);
  if (version === undefined) return undefined;
  return {
    psql: within(folder, "psql"),
    pgDump,
    pgDumpall: within(folder, "pg_dumpall"),
    pgRestore: within(folder, "pg_restore"),
    version,
    major: Number.parseInt(version, 10),
  };
}

function within(folder: string, program: string): string {
  return folder === "" ? program : `${folder.replace(/\/$/, "")}/${program}`;
}

/** What a program says of itself; undefined where it is not there or none of PostgreSQL's. */
async function versionOf(
  place: Place,
  program: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  let said = "";
  try {
    const running = await place.start({ program, args: ["--version"] }, signal);
    for await (const chunk of running.stdout) said += chunk;
    await running.ended;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof UserError)) throw error;
    return undefined;
  }
  return readVersion(said);
}

/** `16.4` of `pg_dump (PostgreSQL) 16.4 (Debian 16.4-1)`; `18beta1` of one before its release. */
export function readVersion(said: string): string | undefined {
  return /\(PostgreSQL\) (\d+(?:\.\d+|(?:beta|rc|devel)\d*)*)/.exec(said)?.[1];
}

function missing(
  place: Place,
  major: number,
  found: readonly Clients[],
  folder: string | undefined,
): UserError {
  const there = found.map(({ pgDump, version }) => `${pgDump} is ${version}`);
  const where = folder === undefined ? `on ${place.name}` : `in ${folder} on ${place.name}`;
  return new UserError({
    title: `No pg_dump for PostgreSQL ${major}`,
    cause:
      there.length === 0
        ? `The server is of PostgreSQL ${major}, and ${where} there is no pg_dump.`
        : `The server is of PostgreSQL ${major}, and what is ${where} is too old for it: ${there.join(", ")}.`,
    remedy: `Install postgresql-client-${major} (from apt.postgresql.org where the distribution has none), or name the folder of its programs.`,
  });
}
