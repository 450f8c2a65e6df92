import { nameOf, type Repository } from "../images/index.ts";
import { bytesInWords } from "../quantity/index.ts";

/** Where the steps of a build are kept for the next one, as the input `cache` says it. */
export type CacheSetting =
  | { readonly kind: "off" }
  /** In the layers of the image itself: the steps of its last stage only. */
  | { readonly kind: "inline" }
  /** In a registry: at a tag beside the image, or at the repository given. */
  | { readonly kind: "registry"; readonly repository?: string }
  /** In GitHub's cache; the scope keeps one repository's builds apart. */
  | { readonly kind: "gha"; readonly scope?: string }
  /** In a folder of this machine. */
  | { readonly kind: "local"; readonly folder?: string };

/**
 * The tag at which a repository keeps the cache of its image; with `inline` that is the image, and
 * the tag is moved to it with its others.
 */
export const CACHE_TAG = "buildcache";

const REPOSITORY = /^[a-z0-9.-]+(?::\d+)?(?:\/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)+$/i;
const SCOPE = /^[\w./-]{1,128}$/;

const FORMS =
  "off, inline, registry, registry:HOST/REPOSITORY, gha, gha:SCOPE, local or local:FOLDER";

/**
 * Reads the input `cache`: a kind, and after a colon where (registry), under which name (gha) or in
 * which folder (local).
 *
 * @returns what is wrong with it, as the end of a sentence that begins with the input's name.
 */
export function parseCache(text: string): CacheSetting | { readonly problem: string } {
  const [, kind = "", , rest] = /^([a-z]+)(:(.*))?$/s.exec(text.trim()) ?? [];
  if (kind === "off" || kind === "inline") {
    if (rest === undefined) return { kind };
    return { problem: `${kind} takes nothing after it, and ${JSON.stringify(rest)} was given` };
  }
  if (kind === "registry") {
    if (rest === undefined) return { kind };
    if (REPOSITORY.test(rest)) return { kind, repository: rest };
    const why = `${JSON.stringify(rest)} is no repository without a tag, such as ghcr.io/owner/cache`;
    return { problem: why };
  }
  if (kind === "gha") {
    if (rest === undefined) return { kind };
    if (SCOPE.test(rest)) return { kind, scope: rest };
    const letters = "letters, digits and . _ - / only";
    return { problem: `the scope ${JSON.stringify(rest)} is not made of 1 to 128 ${letters}` };
  }
  if (kind === "local") {
    if (rest === undefined) return { kind };
    if (rest !== "" && !/[\0\n]/.test(rest)) return { kind, folder: rest };
    return { problem: "local: names no folder" };
  }
  return { problem: `${JSON.stringify(text)} is none of ${FORMS}` };
}

/** Whose steps are to be kept. */
export interface CachedService {
  readonly name: string;
  readonly repository: Repository;
}

/** The world that decides where a cache can be. */
export interface CacheGround {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Folders of local caches that are there, and where to write new ones; see `local-cache.ts`. */
  readonly local?: LocalPlace | undefined;
  /** Without credentials nothing is written to a registry: a plan, or a build that is not pushed. */
  readonly mayPush: boolean;
}

export interface LocalPlace {
  /** Where the last one is; undefined when there is none. */
  readonly from: string | undefined;
  /** Where the new one is written. */
  readonly to: string;
}

/** Where one service's build takes steps from and keeps them, in buildx's `key=value,…` form. */
export interface Cache {
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** Why there is no cache though one was asked for; a sentence. */
  readonly absent?: string;
}

const NONE: Cache = { from: [], to: [] };
// A cache that cannot be written is no reason to fail a build that can.
const LENIENT = "ignore-error=true";

/**
 * Decides where one service's build takes steps from and where it keeps its own. All steps of all
 * stages are kept (`mode=max`), except with inline, which cannot. Nothing secret is in it: GitHub's
 * token is taken by buildx from the environment.
 */
export function cacheOf(setting: CacheSetting, service: CachedService, ground: CacheGround): Cache {
  const ownTag = `${nameOf(service.repository)}:${CACHE_TAG}`;
  switch (setting.kind) {
    case "off":
      return NONE;
    case "inline":
      return {
        from: [entry({ type: "registry", ref: ownTag })],
        to: ground.mayPush ? ["type=inline"] : [],
      };
    case "registry": {
      const ref =
        setting.repository === undefined ? ownTag : `${setting.repository}:${service.name}`;
      const into = { type: "registry", ref, mode: "max" };
      // What every registry takes: ECR refuses the older form, an index of blobs.
      const form = { "image-manifest": "true", "oci-mediatypes": "true" };
      return {
        from: [entry({ type: "registry", ref })],
        to: ground.mayPush ? [`${entry({ ...into, ...form })},${LENIENT}`] : [],
      };
    }
    case "gha":
      return ofGitHub(setting.scope, service, ground);
    case "local":
      return ofFolder(ground);
  }
}

function ofGitHub(
  scope: string | undefined,
  { name }: CachedService,
  { environment }: CacheGround,
): Cache {
  if (
    !environment.ACTIONS_RUNTIME_TOKEN ||
    !(environment.ACTIONS_RESULTS_URL || environment.ACTIONS_CACHE_URL)
  ) {
    const absent =
      "The cache gha is not used: this runner gives no ACTIONS_RUNTIME_TOKEN and ACTIONS_RESULTS_URL, by which GitHub's cache is reached.";
    return { ...NONE, absent };
  }
  const place = { type: "gha", scope: scope === undefined ? name : `${scope}-${name}` };
  return { from: [entry(place)], to: [`${entry({ ...place, mode: "max" })},${LENIENT}`] };
}

function ofFolder({ local }: CacheGround): Cache {
  if (local === undefined) return NONE;
  return {
    from: local.from === undefined ? [] : [entry({ type: "local", src: local.from })],
    to: [`${entry({ type: "local", dest: local.to, mode: "max" })},${LENIENT}`],
  };
}

/** One line of CSV, as buildx reads it. */
function entry(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .map(([name, value]) => csvField(`${name}=${value}`))
    .join(",");
}

/** Quotes a field of a line of CSV where it needs it (RFC 4180). */
export function csvField(field: string): string {
  return /[",\s]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

/** What a build took from its cache. */
export interface CacheUse {
  readonly name: string;
  readonly steps: { readonly done: number; readonly cached: number; readonly total: number };
  /** Fetched for it from elsewhere, where the builder tells. */
  readonly bytes?: number | undefined;
}

/**
 * What the caches saved all builds of a run, in one line; undefined when there was no step. Steps
 * are those of the Dockerfiles.
 */
export function cacheLine(uses: readonly CacheUse[]): string | undefined {
  const total = sum(uses.map(({ steps }) => steps.total));
  if (total === 0) return undefined;
  const saved = sum(uses.map(({ steps }) => steps.cached));
  const bytes = sum(uses.map((use) => use.bytes ?? 0));
  const whole = uses.filter(({ steps }) => steps.total > 0 && steps.cached === steps.total);
  const percent = Math.floor((100 * saved) / total);
  const wholly =
    whole.length > 0 && uses.length > 1
      ? `; of ${whole.length} of ${uses.length} services not one`
      : "";
  const fetched = bytes > 0 ? `; ${bytesInWords(bytes)} fetched for it` : "";
  return `cache: ${saved} of ${total} steps (${percent} %) were not run again${wholly}${fetched}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
