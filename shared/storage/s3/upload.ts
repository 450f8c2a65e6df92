import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { codeOf, describe, UserError } from "../../failure/index.ts";
import type { World } from "../../world/index.ts";
import { existsAlready, notAsStored } from "../errors.ts";
import type { StorageSettings } from "../settings.ts";
import type { WriteOptions, Written } from "../storage.ts";
import { wantsEqualParts } from "./address.ts";
import { bodyOf, type S3Answer, type S3Client } from "./client.ts";
import { look } from "./look.ts";
import type { ObjectFacts } from "./object.ts";
import { type Part, partsOf } from "./part.ts";
import { MOST_PARTS, planName } from "./part-size.ts";
import { S3Refusal } from "./refusal.ts";
import { writeHeaders } from "./write-headers.ts";
import { allIn, escapedXml, parseXml, textIn } from "./xml.ts";

/** Parts on their way at once; one more is gathered meanwhile. */
const AT_ONCE = 3;

/** What is known of the server, and learned in the middle of the work. */
export interface ServerTraits {
  /** It answers with the SHA-256 that it was sent. Undefined until the first answer. */
  sums: boolean | undefined;
  /** It takes requests that are to overwrite nothing. */
  conditions: boolean;
}

export interface UploadContext {
  readonly client: S3Client;
  readonly settings: StorageSettings;
  readonly world: World;
  readonly traits: ServerTraits;
  /** For messages. */
  readonly place: string;
}

interface Task {
  readonly context: UploadContext;
  readonly key: string;
  readonly name: string;
  readonly options: WriteOptions;
}

/**
 * Writes an object: a small one at once, a larger one in parts while it comes. It is there only
 * when all of it is, and S3 itself tells the same size and sum.
 */
export async function upload(
  context: UploadContext,
  { key, name }: { readonly key: string; readonly name: string },
  content: AsyncIterable<Buffer | string>,
  options: WriteOptions,
): Promise<Written> {
  const task = { context, key, name, options };
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

/** The sums of one part, as they were sent. */
interface Sent {
  readonly bytes: number;
  readonly sha256: Buffer;
  readonly md5: Buffer;
}

interface Sums {
  readonly parts: readonly Sent[];
  readonly isMultipart: boolean;
  /** What the answer to the last request said of the object. */
  readonly etag: string;
  readonly checksum: string | undefined;
}

function operationOf({ settings }: UploadContext): "write" | "write-locked" {
  return settings.lock === undefined ? "write" : "write-locked";
}

/** The sums that are sent with a body. What the server does not know it passes over. */
function sumHeaders(part: Sent, { sums }: ServerTraits): Record<string, string> {
  return {
    ...(part.md5.length > 0 ? { "content-md5": part.md5.toString("base64") } : {}),
    ...(sums === false ? {} : { "x-amz-checksum-sha256": part.sha256.toString("base64") }),
  };
}

/** What the first answer with a body tells of the server. */
function learn(context: UploadContext, answer: S3Answer): void {
  if (context.traits.sums !== undefined) return;
  context.traits.sums = answer.headers["x-amz-checksum-sha256"] !== undefined;
  if (context.traits.sums) return;
  context.world.log.info(
    `${context.client.address.base.host} does not tell SHA-256 sums: what is written is held by MD5 sums instead`,
  );
}

const OLD_SERVER = ["NotImplemented", "InvalidArgument", "InvalidRequest"];

/** Sends what may be too new for a server, and once more without it where it is. */
async function tolerant(
  { traits }: UploadContext,
  send: () => Promise<S3Answer>,
): Promise<S3Answer> {
  for (;;) {
    const before = `${traits.sums} ${traits.conditions}`;
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof S3Refusal) || !OLD_SERVER.includes(error.code)) throw error;
      if (/checksum/i.test(error.cause)) traits.sums = false;
      else if (error.code === "NotImplemented") traits.conditions = false;
      if (before === `${traits.sums} ${traits.conditions}`) throw error;
    }
  }
}

function conditions({ context: { traits }, options }: Task): Record<string, string> {
  return traits.conditions && options.replace !== true ? { "if-none-match": "*" } : {};
}

async function putWhole(task: Task, part: Part): Promise<Sums> {
  const { context, key, options, name } = task;
  const { client, settings, world, traits } = context;
  const lasting = writeHeaders(settings, world.clock.now());
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

/** Whether what is there is what was sent, for an answer that says that something is there. */
async function holdOurs(task: Task, sums: Sums & { readonly bytes: number }): Promise<void> {
  const found = await look(task.context.client, task.key, task.options.signal);
  if (found === undefined || differs(found, sums) !== undefined) {
    throw existsAlready(task.name, task.context.place);
  }
}

/** An object that is sent in parts. What was sent is taken back where it does not come to its end. */
class Multipart {
  readonly #task: Task;
  readonly #sent: (Sent & { readonly etag: string })[] = [];
  #id = "";

  constructor(task: Task) {
    this.#task = task;
  }

  async send(first: Part, rest: AsyncGenerator<Part>): Promise<Sums> {
    const { context, options } = this.#task;
    const halt = new AbortController();
    const signal = AbortSignal.any([options.signal, halt.signal]);
    const flying = new Set<Promise<void>>();
    try {
      await this.#begin();
      // The first part alone: its answer tells whether the others need MD5 sums.
      await this.#sendPart(first, signal);
      learnNothingMore(context);
      for await (const part of rest) {
        const flight = this.#sendPart(part, signal).finally(() => flying.delete(flight));
        // Its failure is met below, and not before somebody waits.
        flight.catch((error: unknown) => halt.abort(error));
        flying.add(flight);
        if (flying.size >= AT_ONCE) await Promise.race(flying);
        signal.throwIfAborted();
      }
      await Promise.all(flying);
      return await this.#complete();
    } catch (error) {
      halt.abort(error);
      await rest.return(undefined).catch(() => {});
      await Promise.allSettled(flying);
      await this.#abort();
      options.signal.throwIfAborted();
      throw halt.signal.aborted ? halt.signal.reason : error;
    }
  }

  async #begin(): Promise<void> {
    const { context, key, options } = this.#task;
    const { client, settings, world, traits } = context;
    const equal = wantsEqualParts(client.address);
    const answer = await tolerant(context, () =>
      client.ask({
        ...{ operation: operationOf(context), method: "POST", key, query: { uploads: "" } },
        headers: {
          ...writeHeaders(settings, world.clock.now()),
          ...(traits.sums === false ? {} : { "x-amz-checksum-algorithm": "SHA256" }),
          "x-amz-meta-seaworthy-parts": planName(equal),
        },
        signal: options.signal,
      }),
    );
    this.#id = textIn(parseXml(answer.text.trim()), "UploadId");
    if (this.#id === "") throw strangeAnswer(this.#task, "its answer names no upload");
  }

  async #sendPart(part: Part, signal: AbortSignal): Promise<void> {
    const { context, key } = this.#task;
    const { client, traits } = context;
    try {
      if (part.index >= MOST_PARTS) throw tooLarge(this.#task);
      const number = `${part.index + 1}`;
      const answer = await tolerant(context, () =>
        client.ask({
          ...{ operation: operationOf(context), method: "PUT", key, body: part, signal },
          query: { partNumber: number, uploadId: this.#id },
          headers: sumHeaders(part, traits),
        }),
      );
      learn(context, answer);
      const { bytes, sha256, md5 } = part;
      const etag = (answer.headers.etag ?? "").replaceAll('"', "");
      this.#sent[part.index] = { bytes, sha256, md5, etag };
    } finally {
      await part.close();
    }
  }

  async #complete(): Promise<Sums> {
    const {
      context,
      key,
      options,
      name,
      context: { client, traits },
    } = this.#task;
    const parts = this.#sent.map(({ etag, sha256 }, index) => {
      const sum =
        traits.sums === true ? `<ChecksumSHA256>${sha256.toString("base64")}</ChecksumSHA256>` : "";
      return `<Part><PartNumber>${index + 1}</PartNumber><ETag>${escapedXml(`"${etag}"`)}</ETag>${sum}</Part>`;
    });
    const namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
    const xml = `<CompleteMultipartUpload xmlns="${namespace}">${parts.join("")}</CompleteMultipartUpload>`;
    const answer = await tolerant(context, () =>
      client.ask({
        ...{ operation: operationOf(context), method: "POST", key, body: bodyOf(xml) },
        query: { uploadId: this.#id },
        headers: { "content-type": "application/xml", ...conditions(this.#task) },
        ...{ signal: options.signal, expected: [412], expectedCodes: ["NoSuchUpload"] },
      }),
    );
    const bytes = this.#sent.reduce((total, part) => total + part.bytes, 0);
    const sums = { parts: this.#sent, isMultipart: true };
    if (answer.status >= 300) {
      if (answer.retried === 0 && answer.status === 412) throw existsAlready(name, context.place);
      await holdOurs(this.#task, { ...sums, bytes, etag: "", checksum: undefined });
    }
    const root = parseXml(answer.text.trim());
    const etag = textIn(root, "ETag").replaceAll('"', "");
    this.#id = "";
    return { ...sums, etag, checksum: textIn(root, "ChecksumSHA256") || undefined };
  }

  /** What lies there unfinished costs money, and nobody sees it. */
  async #abort(): Promise<void> {
    const { context, key, options, name } = this.#task;
    if (this.#id === "") return;
    const { aftermath, log } = context.world;
    const signal = options.signal.aborted
      ? aftermath
      : AbortSignal.any([options.signal, AbortSignal.timeout(10_000)]);
    try {
      const query = { uploadId: this.#id };
      const request = { operation: "abort", method: "DELETE", key, query, signal } as const;
      await context.client.ask({ ...request, expected: [404], retries: 2 });
    } catch (error) {
      const why = error instanceof UserError ? error.cause : describe(error);
      log.warning(
        `The unfinished upload of ${name} could not be taken back: ${why} The next run tries again; a lifecycle rule (AbortIncompleteMultipartUpload) does it in any case.`,
      );
    }
  }
}

/** A server that did not show a sum for the first part shows none for any. */
function learnNothingMore({ traits }: UploadContext): void {
  traits.sums ??= false;
}

function tooLarge({ name, context }: Task): UserError {
  return new UserError({
    title: "The backup is too large for the storage",
    cause: `${name} needs more than ${MOST_PARTS} parts in ${context.place}.`,
    remedy: "Split it (several databases, a directory dump), or compress it more.",
  });
}

function strangeAnswer({ context, name }: Task, what: string): UserError {
  return new UserError({
    title: "The storage answers strangely",
    cause: `${name} cannot be written to ${context.place}: ${what}.`,
    remedy: "Check that the endpoint is one of an S3-compatible storage.",
  });
}

/** Holds the storage's own word on the object against what was sent. */
async function prove(task: Task, sums: Sums & { readonly bytes: number }): Promise<void> {
  const { context, key, name, options } = task;
  const { client, world, place } = context;
  let found: ObjectFacts | undefined;
  try {
    found = await look(client, key, options.signal);
  } catch (error) {
    if (!(error instanceof S3Refusal) || error.code !== "AccessDenied") throw error;
    const wrong = differsBySum(sums, sums.checksum, sums.etag);
    if (wrong !== undefined) throw notAsStored(name, place, wrong);
    world.log.warning(
      `${name} in ${place}: its size and lock are not proven, for who signed in may write it and not look at it (s3:GetObject). The sum that the storage answered with is right.`,
    );
    return;
  }
  const wrong = found === undefined ? "it is not there after it was written" : differs(found, sums);
  if (wrong !== undefined) {
    await takeBack(task);
    throw notAsStored(name, place, wrong);
  }
  if (found !== undefined) checkLock(task, found);
}

async function takeBack({ context: { client, world }, key, options }: Task): Promise<void> {
  if (options.replace === true) return;
  const request = { operation: "delete", method: "DELETE", key, signal: options.signal } as const;
  await client.ask({ ...request, expected: [404] }).catch((error: unknown) => {
    world.log.warning(
      `What is wrong there could not be removed: ${codeOf(error) ?? describe(error)}`,
    );
  });
}

function differs(found: ObjectFacts, sums: Sums & { readonly bytes: number }): string | undefined {
  if (found.bytes !== sums.bytes) {
    return `${sums.bytes} bytes were written, and it holds ${found.bytes}`;
  }
  const isPlain = found.encryption === undefined || found.encryption === "AES256";
  const byEtag = isPlain ? found.etag : "";
  return differsBySum(sums, found.sha256 ?? sums.checksum, byEtag);
}

/** Source: Amazon S3, "Checking object integrity": sums of sums for what was sent in parts. */
function differsBySum(
  { parts, isMultipart }: Sums,
  checksum: string | undefined,
  etag: string,
): string | undefined {
  if (checksum !== undefined) {
    const own = sumOf(
      "sha256",
      parts.map(({ sha256 }) => sha256),
      isMultipart,
    ).toString("base64");
    const expected = isMultipart ? `${own}-${parts.length}` : own;
    // Some leave the number of parts away.
    if (checksum === expected || checksum === own) return undefined;
    return `its SHA-256 is ${checksum}, and ${expected} was sent`;
  }
  const hasMd5 = parts.every(({ md5 }) => md5.length > 0);
  if (!hasMd5 || !/^[0-9a-f]{32}(-\d+)?$/.test(etag)) return undefined;
  const own = sumOf(
    "md5",
    parts.map(({ md5 }) => md5),
    isMultipart,
  ).toString("hex");
  const expected = isMultipart ? `${own}-${parts.length}` : own;
  return etag === expected ? undefined : `its MD5 is ${etag}, and ${expected} was sent`;
}

function sumOf(algorithm: string, sums: readonly Buffer[], isMultipart: boolean): Buffer {
  if (!isMultipart) return sums[0] ?? Buffer.alloc(0);
  const hash = createHash(algorithm);
  for (const sum of sums) hash.update(sum);
  return hash.digest();
}

/** A lock that was asked for is there, as strict and as long. */
function checkLock({ context, name }: Task, found: ObjectFacts): void {
  const { settings, world, place } = context;
  if (settings.lock === undefined) return;
  if (found.lockedUntil === undefined) {
    world.log.warning(
      `${name} in ${place}: its lock is not proven, for the storage does not tell it (s3:GetObjectRetention may be missing)`,
    );
    return;
  }
  const days = (found.lockedUntil - world.clock.now()) / 86_400_000;
  const isShort = days < settings.lock.days - 1;
  const isLoose = settings.lock.mode === "compliance" && found.lockMode !== "COMPLIANCE";
  if (!isShort && !isLoose) return;
  throw notAsStored(
    name,
    place,
    `a lock (${settings.lock.mode}) for ${settings.lock.days} days was asked for, and it has ${found.lockMode ?? "none"} until ${new Date(found.lockedUntil).toISOString()}`,
  );
}

/**
 * Takes back unfinished uploads that killed runs left below a prefix. Best effort: whoever may not
 * see them may still write.
 */
export async function sweepUploads(
  { client, world, place }: UploadContext,
  prefix: string,
  signal: AbortSignal,
): Promise<void> {
  const query = { uploads: "", prefix, "encoding-type": "url" };
  try {
    const request = { operation: "list-uploads", method: "GET", key: "", query, signal } as const;
    const answer = await client.ask({ ...request, retries: 1 });
    for (const entry of allIn(parseXml(answer.text.trim()), "Upload")) {
      const began = Date.parse(textIn(entry, "Initiated"));
      if (Number.isNaN(began) || world.clock.now() - began < STALE_MS) continue;
      const key = decodeURIComponent(textIn(entry, "Key").replaceAll("+", " "));
      const uploadId = textIn(entry, "UploadId");
      if (!key.startsWith(prefix) || uploadId === "") continue;
      const abort = { operation: "abort", method: "DELETE", key, query: { uploadId } } as const;
      await client.ask({ ...abort, signal, expected: [404], retries: 1 });
      world.log.info(
        `Took back the unfinished upload of ${key} in ${place} from ${new Date(began).toISOString()}`,
      );
    }
  } catch (error) {
    signal.throwIfAborted();
    world.log.debug(`Unfinished uploads in ${place} were not looked for: ${describe(error)}`);
  }
}

/** No upload of ours takes longer: a job on a machine of one's own ends after five days. */
const STALE_MS = 5 * 86_400_000;
