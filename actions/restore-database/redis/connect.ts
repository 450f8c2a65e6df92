import { podOf } from "../../../shared/backup-inputs/index.ts";
import { UserError } from "../../../shared/failure/index.ts";
import type { RedisTarget } from "../../../shared/redis/index.ts";
import type { World } from "../../../shared/world/index.ts";
import type { Options } from "../inputs.ts";

/**
 * Connects to the server that the inputs name.
 *
 * @throws {UserError} where they name none, or it cannot be restored into.
 */
export async function connectTarget(options: Options, world: World): Promise<RedisTarget> {
  const { openRedisTarget } = await import("../../../shared/redis/index.ts");
  const { target: url, user, password, targetCa: ca, clientCertificate, clientKey } = options;
  const pod = await podOf(options, world);
  if (url === undefined && pod === undefined) {
    throw new UserError({
      title: "The server to restore into was not named",
      cause: "Neither target nor pod is given.",
      remedy: "Give target, such as redis://cache.example:6379. Nothing was changed.",
    });
  }
  const database = numberOf(options);
  const access = { url, user, password, ca, clientCertificate, clientKey };
  return await openRedisTarget({ ...access, pod, database }, world);
}

function numberOf({ database }: Options): number | undefined {
  if (database === undefined) return undefined;
  if (/^\d{1,9}$/.test(database)) return Number(database);
  throw new UserError({
    title: "The database of Redis is a number",
    cause: `database is ${JSON.stringify(database)}.`,
    remedy: "Give its number, or leave database out to restore all. Nothing was changed.",
  });
}
