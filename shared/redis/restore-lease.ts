import { UserError } from "../failure/index.ts";
import type { World } from "../world/index.ts";
import { RedisRefusal } from "./resp.ts";
import type { RedisTarget } from "./restore-target.ts";

const NAME = "seaworthy-restore";

/**
 * Takes the right to restore into a server, and holds it as long as its connection lives: two
 * restores at once would take the same empty databases. The connection's name is the sign of it;
 * nothing is written.
 *
 * @throws {UserError} that says who works on it.
 */
export async function takeRestoreLease(
  { redis, words }: RedisTarget,
  { environment, log }: World,
): Promise<void> {
  const { GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run } = environment;
  const own = repository === undefined ? NAME : `${NAME}:run-${run ?? "?"}-of-${repository}`;
  try {
    await redis.ask("CLIENT", "SETNAME", own.replace(/[^!-~]/g, "-"));
    const id = Number(await redis.ask("CLIENT", "ID"));
    const other = holderIn(await redis.text("CLIENT", "LIST"), id);
    if (other === undefined) return;
    throw new UserError({
      title: "Another restore works on the target",
      cause: `${words} is being restored by ${other}.`,
      remedy: "Wait until that is done, or cancel it, and run again. Nothing was changed.",
    });
  } catch (error) {
    if (!(error instanceof RedisRefusal)) throw error;
    log.info(`Whether somebody else restores into ${words} is not known: ${error.message}`);
  }
}

/** Who restores already, of the clients that CLIENT LIST tells; the earlier one has the right. */
export function holderIn(clients: string, own: number): string | undefined {
  for (const line of clients.split("\n")) {
    const [, id] = /(?:^| )id=(\d+)/.exec(line) ?? [];
    const [, name] = / name=(\S*)/.exec(line) ?? [];
    const [, address] = / addr=(\S+)/.exec(line) ?? [];
    if (!name?.startsWith(NAME) || Number(id) >= own) continue;
    return `${name}, connected from ${address ?? "?"}`;
  }
  return undefined;
}
