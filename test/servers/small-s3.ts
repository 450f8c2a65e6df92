import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

export interface S3Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

export interface S3Said {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

interface Kept {
  readonly content: Buffer;
  readonly etag: string;
  readonly headers: Record<string, string>;
}

/**
 * An object store as old and plain as they come: it knows no checksums, conditions or locks, and
 * says so only if it is told to. Real servers stand in the cluster tests; this one says what they
 * say too seldom.
 */
export class SmallS3 implements AsyncDisposable {
  readonly origin: string;
  readonly asked: S3Asked[] = [];
  readonly objects = new Map<string, Kept>();
  readonly uploads = new Map<string, Map<number, Buffer>>();
  /** Answers instead; undefined lets a request through. */
  before: (asked: S3Asked) => S3Said | undefined = () => undefined;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(): Promise<SmallS3> {
    const made: { store?: SmallS3 } = {};
    const server = createServer((from, to) => {
      made.store?.answer(from, to).catch(() => to.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    made.store = new SmallS3(server);
    return made.store;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Puts all objects into an archive, as a lifecycle rule does. */
  freeze(): void {
    for (const { headers } of this.objects.values()) headers["x-amz-storage-class"] = "GLACIER";
  }

  /** Ends every thaw that was asked for; gives how many. */
  thaw(): number {
    const asked = [...this.objects.values()].filter(({ headers }) => "x-amz-restore" in headers);
    for (const { headers } of asked) {
      headers["x-amz-restore"] =
        'ongoing-request="false", expiry-date="Fri, 21 Dec 2040 00:00:00 GMT"';
    }
    return asked.length;
  }

  async answer(from: IncomingMessage, to: ServerResponse): Promise<void> {
    const url = new URL(from.url ?? "", this.origin);
    const path = decodeURIComponent(url.pathname).replace(/^\/bucket\/?/, "");
    const { method = "", headers } = from;
    const body = await buffer(from);
    const asked = { method, path, query: url.searchParams, headers, body };
    this.asked.push(asked);
    const {
      status,
      headers: given = {},
      body: text = "",
    } = this.before(asked) ?? this.#serve(asked);
    to.writeHead(status, { "content-length": `${text.length}`, ...given });
    to.end(method === "HEAD" ? undefined : text);
  }

  #serve(asked: S3Asked): S3Said {
    const { method, path, query, body } = asked;
    if (path === "") return this.#bucket(asked);
    const id = query.get("uploadId");
    if (query.has("uploads")) {
      const made = `u${this.uploads.size}`;
      this.uploads.set(made, new Map());
      return xml(`<R><UploadId>${made}</UploadId></R>`);
    }
    if (id !== null) return this.#part(asked, id);
    if (method === "PUT") return this.#keep(path, body, md5(body).digest("hex"), asked);
    if (method === "DELETE") {
      this.objects.delete(path);
      return { status: 204 };
    }
    const kept = this.objects.get(path);
    if (kept === undefined) return error(404, "NoSuchKey");
    if (query.has("restore")) {
      kept.headers["x-amz-restore"] = 'ongoing-request="true"';
      return { status: 202 };
    }
    const headers = { etag: `"${kept.etag}"`, ...kept.headers };
    if (method === "GET" && isFrozen(kept)) return error(403, "InvalidObjectState");
    if (method === "HEAD") {
      return { status: 200, headers: { ...headers, "content-length": `${kept.content.length}` } };
    }
    return { status: 200, headers, body: kept.content };
  }

  #part({ method, path, query, body, headers }: S3Asked, id: string): S3Said {
    const parts = this.uploads.get(id);
    if (parts === undefined) return error(404, "NoSuchUpload");
    if (method === "DELETE") {
      this.uploads.delete(id);
      return { status: 204 };
    }
    if (method === "PUT") {
      const sum = headers["content-md5"];
      if (sum !== undefined && sum !== md5(body).digest("base64")) return error(400, "BadDigest");
      parts.set(Number(query.get("partNumber")), body);
      return { status: 200, headers: { etag: `"${md5(body).digest("hex")}"` } };
    }
    const all = [...parts.entries()].sort(([a], [b]) => a - b).map(([, part]) => part);
    const sums = Buffer.concat(all.map((part) => md5(part).digest()));
    const etag = `${md5(sums).digest("hex")}-${all.length}`;
    this.uploads.delete(id);
    this.#keep(path, Buffer.concat(all), etag, undefined);
    return xml(
      `<CompleteMultipartUploadResult><ETag>"${etag}"</ETag></CompleteMultipartUploadResult>`,
    );
  }

  #keep(path: string, content: Buffer, etag: string, _: S3Asked | undefined): S3Said {
    this.objects.set(path, { content, etag, headers: {} });
    return { status: 200, headers: { etag: `"${etag}"` } };
  }

  #bucket({ query, method, body }: S3Asked): S3Said {
    if (method === "POST" && query.has("delete")) {
      const keys = [...body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = ""]) => key);
      for (const key of keys) this.objects.delete(key);
      const deleted = keys.map((key) => `<Deleted><Key>${key}</Key></Deleted>`);
      return xml(`<DeleteResult>${deleted.join("")}</DeleteResult>`);
    }
    if (query.has("uploads")) return xml("<ListMultipartUploadsResult/>");
    const prefix = query.get("prefix") ?? "";
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    const entries = keys.map(
      (key) =>
        `<Contents><Key>${key}</Key><Size>${this.objects.get(key)?.content.length}</Size>${storageOf(this.objects.get(key))}</Contents>`,
    );
    return xml(
      `<ListBucketResult><IsTruncated>false</IsTruncated>${entries.join("")}</ListBucketResult>`,
    );
  }
}

function isFrozen({ headers }: Kept): boolean {
  const isArchived = headers["x-amz-storage-class"] !== undefined;
  return isArchived && !/ongoing-request="false"/.test(headers["x-amz-restore"] ?? "");
}

/** What a list tells of an object in an archive. */
function storageOf(kept: Kept | undefined): string {
  const storageClass = kept?.headers["x-amz-storage-class"];
  const restore = /ongoing-request="(\w+)"/.exec(kept?.headers["x-amz-restore"] ?? "")?.[1];
  const status = `<RestoreStatus><IsRestoreInProgress>${restore}</IsRestoreInProgress></RestoreStatus>`;
  if (storageClass === undefined) return "";
  return `<StorageClass>${storageClass}</StorageClass>${restore === undefined ? "" : status}`;
}

/** A refusal in S3's form. */
export function error(status: number, code: string, message = "no", more = ""): S3Said {
  return {
    status,
    body: `<Error><Code>${code}</Code><Message>${message}</Message>${more}</Error>`,
  };
}

function xml(body: string): S3Said {
  return { status: 200, body };
}

function md5(bytes: Buffer) {
  return createHash("md5").update(bytes);
}
