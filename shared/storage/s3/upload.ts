import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { existsAlready } from "../errors.ts";
import type { WriteOptions, Written } from "../storage.ts";
import { type Part, partsOf } from "../transfer/part.ts";
import { wantsEqualParts } from "./address.ts";
import { look } from "./look.ts";
import { Multipart } from "./multipart.ts";
import { holdOurs, prove } from "./prove.ts";
import { S3Refusal } from "./refusal.ts";
import {
  conditions,
  learn,
  operationOf,
  type Sums,
  sumHeaders,
  type Task,
  tolerant,
  type UploadContext,
} from "./task.ts";
import { writeHeaders } from "./write-headers.ts";

/**
 * Writes an object: a small one at once, a larger one in parts while it comes. It is there only
 * when all of it is, and S3 itself tells the same size and sum.
 */
export async function upload(
  context: UploadContext,
  { key, name, own }: Pick<Task, "key" | "name" | "own">,
  content: AsyncIterable<Buffer | string>,
  options: WriteOptions,
): Promise<Written> {
  const task = { context, key, name, own, options };
  if (options.replace !== true) await holdAbsent(task);
  const whole = createHash("sha256");
  const parts = partsOf(summed(content, whole, options), {
    equal: wantsEqualParts(context.client.address),
    temporary: context.world.environment.RUNNER_TEMP || tmpdir(),
    wantsMd5: () => context.traits.sums !== true,
  });
  const first = await parts.next();
  if (first.done === true) throw new Error("there is always a part");
  const sums = first.value.last
    ? await putWhole(task, first.value)
    : await new Multipart(task).send(first.value, parts);
  const bytes = sums.parts.reduce((total, part) => total + part.bytes, 0);
  await prove(task, { ...sums, bytes });
  return { bytes, sha256: whole.digest("hex") };
}

async function* summed(
  content: AsyncIterable<Buffer | string>,
  whole: ReturnType<typeof createHash>,
  { signal, onProgress }: WriteOptions,
): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of content) {
    signal.throwIfAborted();
    const piece = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
    whole.update(piece);
    yield piece;
    bytes += piece.length;
    onProgress?.(bytes);
  }
}

/** Who may write and not look gets no answer here: then the write itself is to refuse. */
async function holdAbsent({ context, key, name, options }: Task): Promise<void> {
  const found = await look(context.client, key, options.signal).catch((error: unknown) => {
    if (error instanceof S3Refusal && error.code === "AccessDenied") return undefined;
    throw error;
  });
  if (found !== undefined) throw existsAlready(name, context.place);
}

async function putWhole(task: Task, part: Part): Promise<Sums> {
  const { context, key, options, name, own } = task;
  const { client, settings, world, traits } = context;
  const lasting = { ...writeHeaders(settings, world.clock.now()), ...own };
  const answer = await tolerant(context, () =>
    client.ask({
      ...{ operation: operationOf(context), method: "PUT", key, body: part },
      headers: { ...lasting, ...sumHeaders(part, traits), ...conditions(task) },
      signal: options.signal,
      expected: [412],
    }),
  );
  if (answer.status !== 412) learn(context, answer);
  const sums = { parts: [part], isMultipart: false };
  // The earlier try, whose answer was lost, may have been our own.
  if (answer.status === 412) {
    if (answer.retried === 0) throw existsAlready(name, context.place);
    await holdOurs(task, { ...sums, bytes: part.bytes, etag: "", checksum: undefined });
  }
  const { etag = "", "x-amz-checksum-sha256": checksum } = answer.headers;
  return { ...sums, etag: etag.replaceAll('"', ""), checksum };
}
