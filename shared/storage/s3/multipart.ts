import { describe, UserError } from "../../failure/index.ts";
import { existsAlready } from "../errors.ts";
import { inFlight } from "../transfer/in-flight.ts";
import type { Part } from "../transfer/part.ts";
import { MOST_PARTS, planName } from "../transfer/part-size.ts";
import { bodyOf } from "../transfer/wire.ts";
import { wantsEqualParts } from "./address.ts";
import { holdOurs } from "./prove.ts";
import {
  conditions,
  learn,
  operationOf,
  type Sent,
  type Sums,
  sumHeaders,
  type Task,
  tolerant,
  type UploadContext,
} from "./task.ts";
import { writeHeaders } from "./write-headers.ts";
import { escapedXml, parseXml, textIn } from "./xml.ts";

/** Parts on their way at once; one more is gathered meanwhile. */
const AT_ONCE = 3;

/** An object that is sent in parts. What was sent is taken back where it does not come to its end. */
export class Multipart {
  readonly #task: Task;
  readonly #sent: (Sent & { readonly etag: string })[] = [];
  #id = "";

  constructor(task: Task) {
    this.#task = task;
  }

  async send(first: Part, rest: AsyncGenerator<Part>): Promise<Sums> {
    const { context, options } = this.#task;
    const { signal } = options;
    try {
      await this.#begin();
      // The first part alone: its answer tells whether the others need MD5 sums.
      await this.#sendPart(first, signal);
      learnNothingMore(context);
      await inFlight(rest, AT_ONCE, (part, either) => this.#sendPart(part, either), signal);
      return await this.#complete();
    } catch (error) {
      await rest.return(undefined).catch(() => {});
      await this.#abort();
      throw error;
    }
  }

  async #begin(): Promise<void> {
    const { context, key, options, own } = this.#task;
    const { client, settings, world, traits } = context;
    const equal = wantsEqualParts(client.address);
    const answer = await tolerant(context, () =>
      client.ask({
        ...{ operation: operationOf(context), method: "POST", key, query: { uploads: "" } },
        headers: {
          ...writeHeaders(settings, world.clock.now()),
          ...(traits.sums === false ? {} : { "x-amz-checksum-algorithm": "SHA256" }),
          ...(own ?? { "x-amz-meta-seaworthy-parts": planName(equal) }),
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
