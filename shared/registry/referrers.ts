import { MANIFEST_TYPES, type StoredManifest } from "./manifest.ts";
import { repositoryScope } from "./scope.ts";
import type { Ask, Session } from "./session.ts";
import { nextPage } from "./tag-list.ts";

/** Something that says of itself that it is about an image. */
export interface Referrer {
  readonly digest: string;
  readonly size: number;
  readonly mediaType: string;
  /** Its kind, such as `application/vnd.dev.cosign.artifact.sig.v1+json`. */
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Registries that keep no list: one that does answers 200 for whatever there may be. */
const withoutList = new WeakSet<Session>();

/**
 * What refers to an image, by the registry's own list, or where it keeps none, by the one that
 * clients keep under a tag. Source: OCI distribution, "Listing Referrers" and "Referrers Tag Schema".
 */
export async function referrersOf(
  session: Session,
  path: string,
  digest: string,
  signal: AbortSignal,
  manifestUnder: (tag: string) => Promise<StoredManifest | undefined>,
): Promise<readonly Referrer[]> {
  const found: Referrer[] = [];
  const scopes = [repositoryScope(path, "pull")];
  const list = `/v2/${path}/referrers/${digest}`;
  let where: string | URL | undefined = withoutList.has(session) ? undefined : list;
  while (where !== undefined) {
    const ask: Ask = {
      method: "GET",
      where,
      scopes,
      signal,
      headers: { accept: MANIFEST_TYPES[0] },
    };
    const response = await session.ask(ask);
    if (response.status !== 200) {
      // Registries without the list answer in many ways; none of them means more than that.
      if (response.status >= 500) throw session.refusal(ask, response);
      if (found.length === 0) withoutList.add(session);
      break;
    }
    const page = referrersIn(response.body.toString("utf8"));
    found.push(...page);
    const next = page.length === 0 ? undefined : nextPage(response.headers.link);
    where = next === undefined ? undefined : session.locate(next);
    if (where === undefined) return found;
  }
  if (found.length > 0) return found;
  const listed = await manifestUnder(digest.replace(":", "-"));
  return listed === undefined ? [] : referrersIn(listed.text);
}

/** Reads an index of referrers; what is none has none. Exported for its tests. */
export function referrersIn(text: string): Referrer[] {
  try {
    const { manifests } = JSON.parse(text) as { manifests?: unknown };
    return Array.isArray(manifests) ? manifests.flatMap(referrerOf) : [];
  } catch {
    return [];
  }
}

function referrerOf(raw: Record<string, unknown> | null): Referrer[] {
  const { digest, size, mediaType, artifactType, annotations } = raw ?? {};
  if (typeof digest !== "string") return [];
  return [
    {
      digest,
      size: Number(size ?? 0),
      mediaType: String(mediaType ?? ""),
      artifactType: typeof artifactType === "string" ? artifactType : undefined,
      annotations: (annotations ?? {}) as Record<string, string>,
    },
  ];
}
