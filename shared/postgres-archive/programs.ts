import { UserError } from "../failure/index.ts";
import { findServerPrograms, NoServerPrograms } from "../postgres-restore/index.ts";
import type { World } from "../world/index.ts";

/**
 * The folder with the programs of the server that can read a copied cluster.
 *
 * @param bin the folder that was named; else where packages put them.
 * @throws {UserError} where they are not on this machine.
 */
export async function programsOf(
  major: number,
  bin: string | undefined,
  world: World,
): Promise<string> {
  try {
    return (await findServerPrograms({ major, bin }, world)).folder;
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
