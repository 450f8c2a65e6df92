import { UserError } from "../failure/index.ts";
import type { Finding } from "../proof/index.ts";
import type { World } from "../world/index.ts";
import type { SearchConnection } from "./connection.ts";
import { arrangementSettings } from "./definition.ts";
import type { IndexFingerprint } from "./fingerprint.ts";
import { SearchRefusal } from "./refusal.ts";
import { untilUp } from "./restore.ts";

/** A proven index under another name, and the one whose place it takes. */
export interface IndexSwitch {
  readonly index: IndexFingerprint;
  readonly as: string;
  readonly isReplaced: boolean;
  readonly aliases: Readonly<Record<string, unknown>>;
}

/** What a new index may be given at once; all else would keep its shards from their place. */
const AT_ONCE =
  /^index\.(hidden|number_of_replicas|auto_expand_replicas|priority|default_pipeline|final_pipeline)$/;
/** Whoever writes to an index that is not there for a moment makes it. */
const TRIES = 5;

/**
 * Removes the index whose place is taken, and gives the proven one its name: a clone, whose files are
 * the same ones. Between both, for some milliseconds, there is no index of the name. Once the old one
 * is gone this goes on also after a cancellation, as long as the aftermath lasts.
 *
 * @returns what it could not be given of the settings of the one whose place it takes.
 * @throws {UserError} where it does not come about, with what is there now.
 */
export async function switchIndex(
  cluster: SearchConnection,
  { index, as, isReplaced, aliases }: IndexSwitch,
  world: World,
): Promise<readonly Finding[]> {
  const { name } = index;
  const arrangement = isReplaced ? await arrangementOf(cluster, name) : (index.arrangement ?? {});
  const path = `/${encodeURIComponent(name)}`;
  const signal = world.aftermath;
  world.signal.throwIfAborted();
  if (isReplaced) await cluster.find("DELETE", path, { signal });
  try {
    await clone(cluster, as, name, { settings: cloneSettings(arrangement), aliases }, signal);
    const order = { index: name, as: name, bytes: index.bytes };
    const trouble = await untilUp(cluster, order, { ...world, signal });
    if (trouble !== undefined) throw new Error(trouble);
  } catch (error) {
    throw halfSwitched(cluster, name, as, error);
  }
  const later = Object.entries(arrangement).filter(([setting]) => !AT_ONCE.test(setting));
  return await settle(cluster, name, Object.fromEntries(later), signal);
}

/** The rest of what the former index was set to; what cannot be had is no reason to fail. */
async function settle(
  cluster: SearchConnection,
  name: string,
  body: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<Finding[]> {
  if (Object.keys(body).length === 0) return [];
  try {
    await cluster.ask("PUT", `/${encodeURIComponent(name)}/_settings`, { body, signal });
    return [];
  } catch (error) {
    if (!(error instanceof SearchRefusal)) throw error;
    const what = `These settings could not be given to it: ${Object.keys(body).join(", ")} (${error.reasons[0] ?? error.status}).`;
    const of = { detector: "settings", tier: "data", subject: `index ${name}` } as const;
    return [{ ...of, weight: "doubt", what }];
  }
}

/** The clone gets no block of the index that it is made of. */
function cloneSettings(arrangement: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const own = Object.entries(arrangement).filter(([setting]) => AT_ONCE.test(setting));
  return {
    ...{ "index.number_of_replicas": 1, "index.auto_expand_replicas": "false" },
    ...Object.fromEntries(own),
    "index.blocks.write": null,
    "index.shard.check_on_startup": null,
  };
}

async function arrangementOf(cluster: SearchConnection, name: string) {
  interface Answer {
    readonly settings?: Readonly<Record<string, unknown>>;
  }
  const path = `/${encodeURIComponent(name)}/_settings?flat_settings=true`;
  const answer = await cluster.ask<Record<string, Answer>>("GET", path);
  return arrangementSettings(Object.values(answer)[0]?.settings ?? {});
}

async function clone(
  cluster: SearchConnection,
  as: string,
  name: string,
  body: { readonly settings: unknown; readonly aliases: unknown },
  signal: AbortSignal,
): Promise<void> {
  const path = `/${encodeURIComponent(as)}/_clone/${encodeURIComponent(name)}?wait_for_active_shards=0`;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await cluster.ask("PUT", path, { body, signal });
      return;
    } catch (error) {
      const isMade = error instanceof SearchRefusal && /already_exists/.test(error.type);
      if (!isMade || attempt === TRIES) throw error;
      await cluster.find("DELETE", `/${encodeURIComponent(name)}`, { signal });
    }
  }
}

function halfSwitched(
  { place }: SearchConnection,
  name: string,
  as: string,
  error: unknown,
): UserError {
  const words = error instanceof UserError ? error.cause : String(error);
  return new UserError(
    {
      title: `Index ${name} could not be given its name`,
      cause: `What was restored is proven, and in index ${as} of ${place}: ${words}`,
      remedy: `There is no whole index ${name} now. Give it the name by the request below, or run again, which restores anew.`,
      evidence: `POST /${as}/_clone/${name}\n{"settings": {"index.blocks.write": null}}`,
    },
    { reason: error },
  );
}
