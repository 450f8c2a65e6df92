import { UserError } from "../failure/index.ts";
import type { RecoveryServer } from "./recovery-server.ts";

/**
 * The name of the superuser that the cluster was made with. It is `postgres` nearly everywhere, and
 * what the cluster's maker was called elsewhere.
 *
 * @throws {UserError} where no session can be had.
 */
export async function superuserOf(server: RecoveryServer): Promise<string> {
  const names = ["postgres", ...(await server.ownerNames())];
  let last: unknown;
  for (const name of names) {
    try {
      await using _session = await server.session("postgres", name);
      return name;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      last = error;
    }
  }
  throw last;
}
