import { UserError } from "../failure/index.ts";
import type { HttpResponse } from "./request.ts";
import { repositoryScope } from "./scope.ts";
import type { Ask, Session } from "./session.ts";

const PAGE = 1_000;
/** Ten million tags: who has more pages than this leads us in a circle. */
const MOST_PAGES = 10_000;

/** All tags of a repository, page by page. Source: OCI distribution, "Listing Tags". */
export async function listTags(
  session: Session,
  path: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const scopes = [repositoryScope(path, "pull")];
  const tags = new Set<string>();
  let where: string | URL | undefined = `/v2/${path}/tags/list?n=${PAGE}`;
  for (let page = 0; where !== undefined && page < MOST_PAGES; page += 1) {
    const ask: Ask = { method: "GET", where, scopes, signal, flaw };
    const response = await session.ask(ask);
    if (response.status === 404) return [...tags];
    if (response.status !== 200) throw session.refusal(ask, response);
    const before = tags.size;
    const found = tagsIn(response.body.toString("utf8"));
    if (found === undefined) throw unreadable(`${session.host}/${path}`);
    for (const tag of found) tags.add(tag);
    const next = nextPage(response.headers.link);
    // A page without anything new leads nowhere.
    where = next === undefined || tags.size === before ? undefined : session.locate(next);
  }
  return [...tags];
}

/** The address of the next page in a Link header. Source: RFC 8288. Exported for its tests. */
export function nextPage(header: string | string[] | undefined): string | undefined {
  for (const link of [header ?? []]
    .flat()
    .join(", ")
    .split(/,\s*(?=<)/)) {
    const [, target, parameters = ""] = /^\s*<([^>]*)>(.*)$/.exec(link) ?? [];
    if (/;\s*rel\s*=\s*"?(?:[^";]*\s)?next(?:\s[^";]*)?"?\s*(?:;|$)/i.test(parameters)) {
      return target;
    }
  }
  return undefined;
}

function flaw({ status, body }: HttpResponse): string | undefined {
  const broken = status === 200 && tagsIn(body.toString("utf8")) === undefined;
  return broken ? "answered with no list" : undefined;
}

function tagsIn(text: string): readonly string[] | undefined {
  try {
    const { tags } = JSON.parse(text) as { tags?: unknown };
    if (tags === null || tags === undefined) return [];
    return Array.isArray(tags) ? tags.filter((tag) => typeof tag === "string") : undefined;
  } catch {
    return undefined;
  }
}

function unreadable(name: string): UserError {
  return new UserError({
    title: "The registry's list of tags cannot be read",
    cause: `${name}: what it answers is no list of tags.`,
    remedy: "Check that the input `registry` names an OCI registry; then run again.",
  });
}
