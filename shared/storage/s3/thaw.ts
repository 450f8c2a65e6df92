import { UserError } from "../../failure/index.ts";
import type { World } from "../../world/index.ts";
import { notThere } from "../errors.ts";
import type { ThawOptions, ThawProgress, ThawTier } from "../thaw.ts";
import { bodyOf } from "../transfer/wire.ts";
import type { S3Client } from "./client.ts";
import { look } from "./look.ts";
import type { ObjectFacts } from "./object.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** At the longest. Source: Amazon S3, "Understanding archive retrieval options". */
const LASTS: Readonly<Record<ThawTier, { readonly glacier: number; readonly deep: number }>> = {
  expedited: { glacier: 5 * MINUTE_MS, deep: 12 * HOUR_MS },
  standard: { glacier: 5 * HOUR_MS, deep: 12 * HOUR_MS },
  bulk: { glacier: 12 * HOUR_MS, deep: 48 * HOUR_MS },
};
const SHORTEST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 5 * MINUTE_MS;

interface Thawing {
  readonly client: S3Client;
  readonly world: Pick<World, "clock" | "log">;
  readonly place: string;
}

interface Entry {
  readonly key: string;
  readonly name: string;
}

/**
 * Asks for objects to be readable again, and waits until they are.
 *
 * @throws {UserError} when one is not there, or S3 refuses.
 */
export async function thawKeys(
  thawing: Thawing,
  entries: readonly Entry[],
  options: ThawOptions,
): Promise<void> {
  const { client, world, place } = thawing;
  const { signal, tier = "standard" } = options;
  const began = world.clock.now();
  let expected = 0;
  let waiting: Entry[] = [];
  for (const entry of entries) {
    const found = await look(client, entry.key, signal);
    if (found === undefined) throw notThere(entry.name, place);
    if (found.state === "ready") continue;
    if (found.state === "frozen") await ask(thawing, entry, found, options);
    const { deep, glacier } = LASTS[tier];
    expected = Math.max(expected, /DEEP/.test(archiveOf(found)) ? deep : glacier);
    waiting.push(entry);
  }
  const all = waiting.length;
  const tell = (elapsed: number) => {
    const left = waiting.length === 0 ? 0 : Math.max(expected - elapsed, 0);
    const progress: ThawProgress = { ready: all - waiting.length, total: all, elapsed, left };
    options.onProgress?.(progress);
  };
  for (let pause = SHORTEST_PAUSE_MS; waiting.length > 0; ) {
    tell(world.clock.now() - began);
    await world.clock.sleep(pause, signal);
    pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS);
    waiting = await stillFrozen(thawing, waiting, signal);
  }
  if (all > 0) tell(world.clock.now() - began);
}

async function stillFrozen(
  { client, place }: Thawing,
  waiting: readonly Entry[],
  signal: AbortSignal,
) {
  const frozen: Entry[] = [];
  for (const entry of waiting) {
    const found = await look(client, entry.key, signal);
    if (found === undefined) throw notThere(entry.name, place);
    if (found.state !== "ready") frozen.push(entry);
  }
  return frozen;
}

function archiveOf({ storageClass, archive }: ObjectFacts): string {
  return archive ?? storageClass;
}

async function ask(
  { client, place }: Thawing,
  { key, name }: Entry,
  found: ObjectFacts,
  { tier = "standard", days = 3, signal }: ThawOptions,
): Promise<void> {
  const word = `${tier[0]?.toUpperCase()}${tier.slice(1)}`;
  if (tier === "expedited" && /DEEP/.test(archiveOf(found))) {
    throw refused(name, place, "what is in the deep archive cannot be thawed expedited");
  }
  // What Intelligent-Tiering archived comes back for good, and takes no number of days.
  const lasting = found.archive === undefined ? `<Days>${days}</Days>` : "";
  const how = `<GlacierJobParameters><Tier>${word}</Tier></GlacierJobParameters>`;
  const xml = `<RestoreRequest xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${lasting}${how}</RestoreRequest>`;
  const answer = await client.ask({
    ...{
      operation: "thaw",
      method: "POST",
      key,
      query: { restore: "" },
      body: bodyOf(xml),
      signal,
    },
    headers: { "content-type": "application/xml" },
    expectedCodes: ["RestoreAlreadyInProgress", "GlacierExpeditedRetrievalNotAvailable"],
  });
  if (/GlacierExpeditedRetrievalNotAvailable/.test(answer.text)) {
    throw refused(name, place, "there is no capacity for expedited retrievals now");
  }
}

function refused(name: string, place: string, why: string): UserError {
  return new UserError({
    title: "A backup cannot be thawed so quickly",
    cause: `${name} in ${place}: ${why}.`,
    remedy: "Ask for the tier standard, or bulk.",
  });
}
