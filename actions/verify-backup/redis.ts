import type { Options } from "./inputs.ts";

/** How a throw-away Redis is had. */
export function redisOptions({ tier, memory, timeLimit, server, image }: Options) {
  const where = server === "local" || server === "docker" ? server : undefined;
  return { tier, memory, timeLimit, server: where, image };
}
