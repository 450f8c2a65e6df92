import type { SearchConnection } from "./connection.ts";
import { addDocument, type ContentSums, emptySums } from "./content.ts";
import { elementsAt, membersAt, type Span } from "./raw-json.ts";
import { SearchRefusal } from "./refusal.ts";

export interface ReadOptions {
  readonly signal: AbortSignal;
  readonly buckets: number;
  /** Slices that are read at once. */
  readonly readers: number;
  /** What a document takes on average, for pages that fit into memory. */
  readonly bytesPerDocument: number;
  /** Told of every page: how many documents it had. */
  readonly onDocuments?: (documents: number) => void;
}

/** A page's size in bytes that is worth a request and small in memory. */
const PAGE_BYTES = 2 * 1024 * 1024;
const MOST_PER_PAGE = 5_000;
const KEEP_ALIVE = "5m";

/**
 * Adds up every document of an index. Each slice is read from one view, opened before its first
 * page: what is written meanwhile is not seen.
 *
 * @throws {SearchRefusal} where a shard cannot be read: nothing is added up in part.
 */
export async function sumDocuments(
  cluster: SearchConnection,
  index: string,
  options: ReadOptions,
): Promise<ContentSums> {
  const sums = emptySums(options.buckets);
  const readers = Math.max(1, options.readers);
  const slices = Array.from({ length: readers }, (_, id) => id);
  const read = await Promise.allSettled(
    slices.map((id) =>
      sumSlice(cluster, index, readers > 1 ? { id, max: readers } : undefined, sums, options),
    ),
  );
  const failures = read.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
  // An index without a single mapping, as one that was never written to, cannot be sliced.
  if (readers > 1 && failures.some(isUnmapped))
    return await sumDocuments(cluster, index, { ...options, readers: 1 });
  if (failures.length > 0) throw failures[0];
  return sums;
}

/** Source: org.opensearch.search.slice.SliceBuilder, toFilter. */
function isUnmapped(error: unknown): boolean {
  return error instanceof SearchRefusal && /field _id not found/.test(error.message);
}

async function sumSlice(
  cluster: SearchConnection,
  index: string,
  slice: { readonly id: number; readonly max: number } | undefined,
  sums: ContentSums,
  options: ReadOptions,
): Promise<void> {
  const { signal } = options;
  const size = Math.floor(PAGE_BYTES / Math.max(1, options.bytesPerDocument));
  const body = {
    size: Math.min(MOST_PER_PAGE, Math.max(1, size)),
    sort: ["_doc"],
    query: { match_all: {} },
    _source: true,
    ...(slice === undefined ? {} : { slice }),
  };
  const path = `/${encodeURIComponent(index)}/_search?scroll=${KEEP_ALIVE}&allow_partial_search_results=false`;
  let scroll: string | undefined;
  try {
    let page = pageIn(await cluster.read("POST", path, { body, signal }));
    for (;;) {
      scroll = page.scroll;
      for (const document of page.documents) addHit(page.text, document, sums);
      options.onDocuments?.(page.documents.length);
      if (page.documents.length === 0) return;
      const next = { scroll: KEEP_ALIVE, scroll_id: scroll };
      page = pageIn(await cluster.read("POST", "/_search/scroll", { body: next, signal }));
    }
  } finally {
    if (scroll !== undefined) await closeScroll(cluster, scroll, options.signal);
  }
}

/** A view that stays open costs the cluster some memory until its time is over: no more than that. */
async function closeScroll(cluster: SearchConnection, scroll: string, signal: AbortSignal) {
  const soon = signal.aborted ? AbortSignal.timeout(2_000) : signal;
  const question = { body: { scroll_id: [scroll] }, signal: soon };
  await cluster.ask("DELETE", "/_search/scroll", question).catch(() => undefined);
}

interface Page {
  readonly text: Buffer;
  readonly scroll: string | undefined;
  readonly documents: readonly Span[];
}

function pageIn(text: Buffer): Page {
  let scroll: string | undefined;
  let documents: Span[] = [];
  for (const [name, value] of membersAt(text, 0)) {
    if (name === "_scroll_id") scroll = textOf(text, value);
    if (name === "timed_out" && text.toString("utf8", value.from, value.to) === "true") {
      throw new Error("the search ran out of time");
    }
    if (name === "_shards") checkShards(text, value);
    if (name !== "hits") continue;
    for (const [part, hits] of membersAt(text, value.from)) {
      if (part === "hits") documents = [...elementsAt(text, hits.from)];
    }
  }
  return { text, scroll, documents };
}

function checkShards(text: Buffer, { from, to }: Span): void {
  const shards = JSON.parse(text.toString("utf8", from, to)) as { readonly failed?: number };
  if (shards.failed) throw new Error(`${shards.failed} shards did not answer a search`);
}

const NO_SOURCE = Buffer.from("null");

function addHit(text: Buffer, hit: Span, sums: ContentSums): void {
  let id = "";
  let routing: string | undefined;
  let source: Buffer = NO_SOURCE;
  for (const [name, value] of membersAt(text, hit.from)) {
    if (name === "_id") id = textOf(text, value);
    else if (name === "_routing") routing = textOf(text, value);
    else if (name === "_source") source = text.subarray(value.from, value.to);
  }
  addDocument(sums, id, routing, source);
}

function textOf(text: Buffer, { from, to }: Span): string {
  return JSON.parse(text.toString("utf8", from, to)) as string;
}
