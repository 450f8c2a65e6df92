import type { World } from "../../world/index.ts";
import type { StorageSettings } from "../settings.ts";
import type { WriteOptions } from "../storage.ts";
import type { S3Answer, S3Client } from "./client.ts";
import { S3Refusal } from "./refusal.ts";

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

/** An object that is to be written. */
export interface Task {
  readonly context: UploadContext;
  readonly key: string;
  readonly name: string;
  readonly options: WriteOptions;
  /** Headers that are kept with it, where it is somebody else's object; none of ours then. */
  readonly own?: Readonly<Record<string, string>> | undefined;
}

/** The sums of one part, as they were sent. */
export interface Sent {
  readonly bytes: number;
  readonly sha256: Buffer;
  readonly md5: Buffer;
}

/** The sums of an object, as they were sent and as they were answered. */
export interface Sums {
  readonly parts: readonly Sent[];
  readonly isMultipart: boolean;
  /** What the answer to the last request said of the object. */
  readonly etag: string;
  readonly checksum: string | undefined;
}

/** With a lock, writing needs another permission too. */
export function operationOf({ settings }: UploadContext): "write" | "write-locked" {
  return settings.lock === undefined ? "write" : "write-locked";
}

/** The sums that are sent with a body. What the server does not know it passes over. */
export function sumHeaders(part: Sent, { sums }: ServerTraits): Record<string, string> {
  return {
    ...(part.md5.length > 0 ? { "content-md5": part.md5.toString("base64") } : {}),
    ...(sums === false ? {} : { "x-amz-checksum-sha256": part.sha256.toString("base64") }),
  };
}

/** What the first answer with a body tells of the server. */
export function learn(context: UploadContext, answer: S3Answer): void {
  if (context.traits.sums !== undefined) return;
  context.traits.sums = answer.headers["x-amz-checksum-sha256"] !== undefined;
  if (context.traits.sums) return;
  context.world.log.info(
    `${context.client.address.base.host} does not tell SHA-256 sums: what is written is held by MD5 sums instead`,
  );
}

const OLD_SERVER = ["NotImplemented", "InvalidArgument", "InvalidRequest"];

/** Sends what may be too new for a server, and once more without it where it is. */
export async function tolerant(
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

/** Asks the server to overwrite nothing, where it knows that. */
export function conditions({ context: { traits }, options }: Task): Record<string, string> {
  return traits.conditions && options.replace !== true ? { "if-none-match": "*" } : {};
}
