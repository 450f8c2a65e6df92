import type { RedisRestore } from "./restore.ts";

/** What a restore leaves as it is. */
export function unknownOf({ plan, fingerprint }: RedisRestore): string[] {
  const has = fingerprint.shards.some(({ libraries }) => libraries.count > 0);
  if (plan.withFunctions || !has) return [];
  return [
    "Libraries of functions belong to the whole server, and were not restored with one database.",
  ];
}
