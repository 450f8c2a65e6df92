import { integrity } from "./integrity.ts";
import { restoring } from "./restoring.ts";
import type { Bench } from "./results.ts";

/** What verifying a backup costs, tier by tier, against the tools that one would use instead. */
export const verify: Bench = async (log) => [...(await integrity(log)), ...(await restoring(log))];
