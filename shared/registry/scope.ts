/** What a token is to allow: actions on one resource. Source: distribution, "Token Scope". */
interface Scope {
  /** `repository:shop/api`; a name may hold colons, where it begins with a host and port. */
  readonly resource: string;
  readonly actions: readonly string[];
}

/** The words for actions on a repository, as a token is asked for them. */
export function repositoryScope(path: string, ...actions: readonly string[]): string {
  return `repository:${path}:${actions.join(",")}`;
}

/** One scope for each resource, its actions those of all the given; sorted, so that equal ones are alike. */
export function mergedScopes(scopes: readonly string[]): readonly string[] {
  const merged = new Map<string, Set<string>>();
  for (const { resource, actions } of scopes.flatMap(scopesIn)) {
    merged.set(resource, new Set([...(merged.get(resource) ?? []), ...actions]));
  }
  return [...merged]
    .map(([resource, actions]) => `${resource}:${[...actions].sort().join(",")}`)
    .sort();
}

/** Whether whoever has the first scopes may do all that the second name. */
export function covers(held: readonly string[], wanted: readonly string[]): boolean {
  return lacking(held, wanted).length === 0;
}

/** What of the wanted scopes the held ones do not give. */
export function lacking(held: readonly string[], wanted: readonly string[]): readonly string[] {
  const given = new Map(held.flatMap(scopesIn).map(({ resource, actions }) => [resource, actions]));
  return wanted.flatMap(scopesIn).flatMap(({ resource, actions }) => {
    const allowed = given.get(resource) ?? [];
    const absent = allowed.includes("*") ? [] : actions.filter((each) => !allowed.includes(each));
    return absent.length === 0 ? [] : [`${resource}:${absent.join(",")}`];
  });
}

/**
 * The scopes that a token says it gives, where it is a JWT that says so; undefined where it does
 * not. It is read, not verified: its only use is a better message and an earlier one.
 * Source: distribution, "Token Authentication Implementation", claim `access`.
 */
export function scopesOfToken(token: string): readonly string[] | undefined {
  const [, payload] = token.split(".");
  if (payload === undefined) return undefined;
  try {
    const text = Buffer.from(payload, "base64url").toString("utf8");
    const { access } = JSON.parse(text) as { access?: unknown };
    if (!Array.isArray(access)) return undefined;
    const scopes = access.map(scopeOfClaim);
    return scopes.includes(undefined) ? undefined : scopes.filter((each) => each !== undefined);
  } catch {
    return undefined;
  }
}

function scopeOfClaim(claim: unknown): string | undefined {
  const { type, name, actions } = (claim ?? {}) as Record<string, unknown>;
  if (typeof type !== "string" || typeof name !== "string") return undefined;
  return Array.isArray(actions) ? `${type}:${name}:${actions.join(",")}` : undefined;
}

function scopesIn(text: string): Scope[] {
  return text.split(" ").flatMap((each) => {
    const first = each.indexOf(":");
    const last = each.lastIndexOf(":");
    if (first === -1 || last === first) return [];
    const actions = each.slice(last + 1).split(",");
    return [{ resource: each.slice(0, last), actions: actions.filter((action) => action !== "") }];
  });
}
