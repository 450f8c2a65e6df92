import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { UserError } from "../../failure/index.ts";
import { CommandFailed, execute } from "../../process/index.ts";
import type { World } from "../../world/index.ts";
import type { ServerSettings } from "./settings.ts";

/** There are no programs of a server of the wanted version. */
export class NoServerPrograms extends UserError {}

/** The programs that a throw-away server needs, in one folder. */
const NEEDED = ["initdb", "postgres", "psql", "pg_restore"];
const PROBE_DEADLINE_MS = 10_000;

/**
 * The folder with a server's programs of the wanted major version: the one that is named, else
 * what is on the PATH, else where Debian, Ubuntu (and so GitHub's runners), Red Hat and the
 * installers of others put them.
 *
 * @throws {UserError} where there is none; names the versions that there are.
 */
export async function findServerPrograms(
  { major, bin, orNewer = false }: Pick<ServerSettings, "major" | "bin" | "orNewer">,
  world: World,
): Promise<{ readonly folder: string; readonly major: number }> {
  const found: { folder: string; major: number }[] = [];
  for (const folder of bin === undefined ? candidates(major, world) : [bin]) {
    const version = await versionIn(folder, world);
    if (version === undefined) continue;
    if (version === major) return { folder, major: version };
    found.push({ folder, major: version });
  }
  const rising = [...found].sort((a, b) => a.major - b.major);
  const best =
    major === undefined ? rising.at(-1) : rising.find((one) => orNewer && one.major > major);
  if (best !== undefined) return best;
  throw noPrograms(
    major,
    bin,
    found.map((one) => one.major),
  );
}

function candidates(major: number | undefined, world: World): string[] {
  const all = [18, 17, 16, 15, 14];
  const majors = major === undefined ? all : [major, ...all];
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
): NoServerPrograms {
  const wanted = major === undefined ? "PostgreSQL" : `PostgreSQL ${major}`;
  const others = [...new Set(seen)].sort((a, b) => a - b).join(", ");
  const where = named === undefined ? "on this machine" : `in ${named}`;
  return new NoServerPrograms({
    title: `No server programs of ${wanted}`,
    cause: `${NEEDED.join(", ")} of ${wanted} are not together ${where}${
      others === "" ? "" : `; there is version ${others}`
    }.`,
    remedy: `Install them in an earlier step (Debian and Ubuntu: the package postgresql-${
      major ?? 17
    } of apt.postgresql.org), name their folder in \`postgres-bin\`, or have the throw-away server run in a container or in the cluster (\`server: docker\`, \`server: job\`).`,
  });
}
