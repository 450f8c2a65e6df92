import { UserError } from "../failure/index.ts";

/** An answer of the cluster that is not a success. */
export class SearchRefusal extends UserError {
  readonly status: number;
  /** The cluster's word for the kind of error, such as `index_not_found_exception`. */
  readonly type: string;
  /** The cluster's sentences, the outermost first. */
  readonly reasons: readonly string[];

  constructor(request: string, place: string, status: number, text: string) {
    const { type, reasons } = errorIn(text);
    const words = reasons.join("; ") || text.trim().slice(0, 300) || "it gave no reason";
    super({
      title: status === 401 || status === 403 ? `${place} refuses` : `${place} failed`,
      cause: `${request} was answered with ${status}: ${endOf(words)}`,
      remedy: /block_exception$/.test(type) ? BLOCKED : remedyFor(status),
      evidence: text.slice(0, 4_000),
    });
    this.status = status;
    this.type = type;
    this.reasons = reasons;
  }
}

const BLOCKED =
  "Take the block back: of the cluster, cluster.blocks.* by PUT _cluster/settings; of an index, index.blocks.* " +
  "by PUT INDEX/_settings. A cluster whose disks are full sets both itself: make room first.";

function endOf(words: string): string {
  return /[.!?]$/.test(words) ? words : `${words}.`;
}

function remedyFor(status: number): string {
  if (status === 401) return "Check the user and password, or the API key.";
  if (status === 403) {
    return (
      "Give the user the rights: monitor the cluster, manage snapshots (manage_snapshots), and " +
      "read, view_index_metadata, monitor and maintenance on the indices."
    );
  }
  if (status === 429 || status >= 500)
    return "Look at the cluster's health and its logs, and run this again.";
  return "See what the cluster says, and run this again.";
}

interface ErrorBody {
  readonly type?: string;
  readonly reason?: string;
  readonly caused_by?: ErrorBody;
  readonly root_cause?: readonly ErrorBody[];
}

/** What an error of the cluster says, each sentence once. */
export function errorIn(text: string): { type: string; reasons: string[] } {
  const body = parsed(text)?.error;
  if (typeof body === "string") return { type: "", reasons: [body] };
  const reasons = new Set<string>();
  for (let cause = body; cause !== undefined; cause = cause.caused_by) {
    const words = cause.reason ?? cause.type;
    if (words) reasons.add(words);
  }
  for (const { reason } of body?.root_cause ?? []) if (reason) reasons.add(reason);
  return { type: body?.type ?? "", reasons: [...reasons] };
}

function parsed(text: string): { readonly error?: ErrorBody | string } | undefined {
  try {
    return JSON.parse(text) as { readonly error?: ErrorBody };
  } catch {
    return undefined;
  }
}
