import { isAbsolute, resolve } from "node:path";
import {
  type Cache,
  type CacheSetting,
  cacheOf,
  type LocalCache,
  localCacheFolder,
  openLocalCache,
  parseCache,
} from "../../shared/buildkit/index.ts";
import { describe } from "../../shared/failure/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";
import type { PlacedService } from "./sources.ts";

/** Where the builds of a step take steps from and keep them. */
export interface Caches extends AsyncDisposable {
  of(service: PlacedService): Cache | undefined;
  /** Puts what the builds kept in its place; for those that succeeded. */
  settle(names: readonly string[]): Promise<void>;
}

/** The input `cache`, which `builderProblems` has found to be right. */
export function cacheSetting({ cache }: Options): CacheSetting {
  const setting = parseCache(cache);
  return "problem" in setting ? { kind: "off" } : setting;
}

/**
 * Opens the caches of the services that are built. A cache that cannot be had is a warning: the
 * build is only slower without it.
 */
export async function openCaches(
  services: readonly PlacedService[],
  options: Options,
  world: World,
): Promise<Caches> {
  const setting = cacheSetting(options);
  const local = await openFolders(services, setting, world);
  const caches = new Map<string, Cache>();
  for (const { name, repository } of services) {
    const place = local.get(name)?.place;
    const ground = { environment: world.environment, mayPush: options.push, local: place };
    caches.set(name, cacheOf(setting, { name, repository }, ground));
  }
  const absent = [...caches.values()].find((cache) => cache.absent !== undefined)?.absent;
  if (absent !== undefined) world.log.warning(absent, "No cache");
  return {
    of: ({ name }) => caches.get(name),
    async settle(names) {
      const wanted = names.flatMap((name) => local.get(name) ?? []);
      await Promise.all(wanted.map((cache) => cache.settle())).catch(warning(world));
    },
    async [Symbol.asyncDispose]() {
      const all = [...local.values()].map((cache) => cache[Symbol.asyncDispose]());
      await Promise.all(all).catch(warning(world));
    },
  };
}

async function openFolders(
  services: readonly PlacedService[],
  setting: CacheSetting,
  world: World,
): Promise<ReadonlyMap<string, LocalCache>> {
  if (setting.kind !== "local") return new Map();
  const { environment } = world;
  const workspace = environment.GITHUB_WORKSPACE || process.cwd();
  const given = setting.folder?.replace(/^~(?=\/|$)/, environment.HOME ?? "~");
  const folder =
    given === undefined
      ? localCacheFolder(environment)
      : isAbsolute(given)
        ? given
        : resolve(workspace, given);
  try {
    const opened = services.map(
      async ({ name }) => [name, await openLocalCache(folder, name)] as const,
    );
    return new Map(await Promise.all(opened));
  } catch (error) {
    warning(world)(error);
    return new Map();
  }
}

function warning({ log }: World) {
  return (error: unknown) =>
    log.warning(`The local cache cannot be used: ${describe(error)}`, "No cache");
}
