/** What an address on the network stands for. */
export interface Remote {
  readonly kind: "git" | "http";
  /** Whether the address itself names the content: a full commit, or a checksum. */
  readonly isPinned: boolean;
}

const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i;

/**
 * Whether a source of ADD, or a context, is on the network; undefined for a path.
 *
 * Source: BuildKit, frontend/dockerfile/dfgitutil/git_ref.go and util/gitutil.
 */
export function remoteOf(source: string): Remote | undefined {
  if (/^\.{1,2}\//.test(source)) return undefined;
  const [address = "", fragment = ""] = source.split("#");
  const [path = "", query = ""] = address.split("?");
  const isHttp = /^https?:\/\//i.test(source);
  const isGit =
    (isHttp ? path.endsWith(".git") : false) ||
    /^(?:git|ssh):\/\//i.test(source) ||
    /^[A-Za-z0-9._-]+@[^/:]+:(?!\/\/)/.test(source);
  if (isGit) return { kind: "git", isPinned: isPinned(fragment, new URLSearchParams(query)) };
  return isHttp ? { kind: "http", isPinned: false } : undefined;
}

function isPinned(fragment: string, query: URLSearchParams): boolean {
  const references = [
    fragment.split(":")[0],
    query.get("ref"),
    query.get("commit"),
    query.get("checksum"),
  ];
  return references.some((reference) => COMMIT.test(reference ?? ""));
}
