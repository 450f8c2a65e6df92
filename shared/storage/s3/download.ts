import { Readable } from "node:stream";
import type { World } from "../../world/index.ts";
import { notAsStored, notThere } from "../errors.ts";
import { resumed } from "../transfer/resumed.ts";
import type { S3Answer, S3Client } from "./client.ts";
import { factsOf, type ObjectFacts } from "./object.ts";
import { S3Refusal } from "./refusal.ts";
import { sumCheckFor } from "./sum-check.ts";

export interface DownloadContext {
  readonly client: S3Client;
  readonly world: Pick<World, "clock" | "log">;
  readonly place: string;
}

interface Wanted {
  readonly key: string;
  readonly name: string;
  readonly from: number;
  readonly to: number | undefined;
  readonly signal: AbortSignal;
  /** Of the key's versions; the current one when left out. */
  readonly version?: string | undefined;
  /** Told what the server says of the object, before its bytes. */
  readonly onFacts?: (headers: Readonly<Record<string, string>>) => void;
}

/**
 * Reads an object, or some of it. A connection that breaks is made anew where it was; at the end
 * of a whole object its sum is held against the storage's, and the stream fails where they differ.
 *
 * @throws {UserError} when it is not there, frozen, or may not be read.
 */
export async function download(context: DownloadContext, wanted: Wanted): Promise<Readable> {
  const answer = await get(context, wanted, wanted.from, undefined);
  if (answer === undefined) return Readable.from([]);
  wanted.onFacts?.(answer.headers);
  const stream = Readable.from(bytesOf(context, wanted, answer), { objectMode: false });
  // A stream that is given up before anybody reads it never gets to its own end.
  return stream.once("close", () => answer.cancel?.());
}

/** Undefined where the range begins behind the end. */
async function get(
  { client, place }: DownloadContext,
  { key, name, to, signal, from, version }: Wanted,
  at: number,
  etag: string | undefined,
): Promise<S3Answer | undefined> {
  const isRange = at > 0 || to !== undefined;
  if (to !== undefined && to <= from) return undefined;
  const range = `bytes=${at}-${to === undefined ? "" : to - 1}`;
  const answer = await client.ask({
    operation: version === undefined ? "read" : "read-version",
    ...{ method: "GET", key, signal, streamed: true },
    query: version === undefined ? {} : { versionId: version },
    headers: {
      "x-amz-checksum-mode": "ENABLED",
      "accept-encoding": "identity",
      ...(isRange ? { range } : {}),
      ...(etag === undefined ? {} : { "if-match": `"${etag}"` }),
    },
    expected: [404, 412, 416],
  });
  if (answer.status === 404 && /NoSuchBucket/.test(answer.text)) {
    throw new S3Refusal("NoSuchBucket", {
      title: "There is no such bucket",
      cause: `${place} cannot be read: the bucket is not there any more.`,
      remedy: "Check the bucket's name and the endpoint.",
    });
  }
  if (answer.status === 404) throw notThere(name, place);
  if (answer.status === 412) throw notAsStored(name, place, "it was replaced while it was read");
  return answer.status === 416 ? undefined : answer;
}

/** Where an answer begins and ends, and how much there is in all. */
interface Span {
  readonly from: number;
  readonly end: number;
  readonly total: number;
}

function spanOf({ status, headers }: S3Answer): Span | undefined {
  const length = Number(headers["content-length"]);
  if (status !== 206) return { from: 0, end: length, total: length };
  const [, from, last, total] =
    /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers["content-range"] ?? "") ?? [];
  if (total === undefined) return undefined;
  return { from: Number(from), end: Number(last) + 1, total: Number(total) };
}

async function* bytesOf(
  context: DownloadContext,
  wanted: Wanted,
  first: S3Answer,
): AsyncGenerator<Buffer> {
  const { name, signal } = wanted;
  const { place, world } = context;
  const span = spanOf(first);
  if (span === undefined || span.from !== wanted.from || Number.isNaN(span.end)) {
    throw notAsStored(name, place, "the storage answered with another range than was asked for");
  }
  const facts = factsOf(name, first.headers);
  const isWhole = span.from === 0 && span.end === span.total;
  const check = isWhole ? sumCheckFor({ ...facts, bytes: span.total }) : undefined;
  const { from, end } = span;
  const reopen = async (at: number) => (await resume(context, wanted, at, span, facts)).stream;
  const reading = { name, place, first: first.stream, from, end, reopen, signal, world };
  for await (const piece of resumed(reading)) {
    check?.add(piece);
    yield piece;
  }
  const wrong = check?.verdict();
  if (wrong !== undefined) throw notAsStored(name, place, wrong);
}

async function resume(
  context: DownloadContext,
  wanted: Wanted,
  at: number,
  span: Span,
  { etag }: ObjectFacts,
): Promise<S3Answer> {
  const answer = await get(context, { ...wanted, to: span.end }, at, etag);
  const found = answer && spanOf(answer);
  if (answer === undefined || found?.from !== at || found.total !== span.total) {
    throw notAsStored(wanted.name, context.place, "it changed while it was read");
  }
  return answer;
}
