import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { UserError } from "../../failure/index.ts";
import { CommandFailed, execute } from "../../process/index.ts";
import type { World } from "../../world/index.ts";

/** The programs that a throw-away server needs, in one folder. */
const NEEDED = ["initdb", "postgres", "psql", "pg_restore"];
const PROBE_DEADLINE_MS = 10_000;

/**
 * The folder with a server's programs of the wanted major version: the one that is named, else
 * what is on the PATH, else where Debian, Ubuntu (and so GitHub's runners), Red Hat and the
 * installers of others put them.
 *
 * @param major 14 to 18; undefined takes the newest there is.
 * @throws {UserError} where there is none; names the versions that there are.
 */
export async function findServerPrograms(
  major: number | undefined,
  named: string | undefined,
  world: World,
): Promise<{ readonly folder: string; readonly major: number }> {
  const seen: number[] = [];
  const found: { folder: string; major: number }[] = [];
  for (const folder of named === undefined ? candidates(major, world) : [named]) {
    const version = await versionIn(folder, world);
    if (version === undefined) continue;
    seen.push(version);
    if (major === undefined || version === major) found.push({ folder, major: version });
    if (major !== undefined && version === major) break;
  }
  found.sort((a, b) => b.major - a.major);
  const best = found[0];
  if (best !== undefined) return best;
  throw noPrograms(major, named, seen);
}

function candidates(major: number | undefined, world: World): string[] {
  const majors = major === undefined ? [18, 17, 16, 15, 14] : [major];
  const usual = majors.flatMap((number) => [
    `/usr/lib/postgresql/${number}/bin`,
    `/usr/pgsql-${number}/bin`,
    `/usr/local/opt/postgresql@${number}/bin`,
    `/opt/homebrew/opt/postgresql@${number}/bin`,
    `/usr/libexec/postgresql${number}`,
  ]);
  const path = (world.environment.PATH ?? process.env.PATH ?? "").split(delimiter);
  return [...new Set([...path.filter((folder) => folder.startsWith("/")), ...usual])];
}

async function versionIn(folder: string, world: World): Promise<number | undefined> {
  try {
    await Promise.all(NEEDED.map((name) => access(join(folder, name), constants.X_OK)));
  } catch {
    return undefined;
  }
  try {
    const { stdout } = await execute(
      { program: join(folder, "postgres"), args: ["--version"] },
      { signal: world.signal, secrets: world.secrets, deadline: PROBE_DEADLINE_MS },
    );
    const version = /\(PostgreSQL\) (\d+)/.exec(stdout)?.[1];
    return version === undefined ? undefined : Number(version);
  } catch (error) {
    world.signal.throwIfAborted();
    if (error instanceof CommandFailed) return undefined;
    throw error;
  }
}

function noPrograms(
  major: number | undefined,
  named: string | undefined,
  seen: readonly number[],
): UserError {
  const wanted = major === undefined ? "PostgreSQL" : `PostgreSQL ${major}`;
  const others = [...new Set(seen)].sort((a, b) => a - b).join(", ");
  const where = named === undefined ? "on this machine" : `in ${named}`;
  return new UserError({
    title: `No server programs of ${wanted}`,
    cause: `${NEEDED.join(", ")} of ${wanted} are not together ${where}${
      others === "" ? "" : `; there is version ${others}`
    }.`,
    remedy: `Install them in an earlier step (Debian and Ubuntu: the package postgresql-${
      major ?? 17
    } of apt.postgresql.org), name their folder in \`postgres-bin\`, or have the throw-away server run in a container or in the cluster (\`server: docker\`, \`server: job\`).`,
  });
}
