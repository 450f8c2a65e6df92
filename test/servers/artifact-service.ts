import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

const SERVICE = "/twirp/github.actions.results.api.v1.ArtifactService/";
const TOKEN_OF_API = "ghs_0123456789abcdefghij";
const REPOSITORY = "shop/web";

interface Artifact {
  readonly name: string;
  readonly id: number;
  readonly run: string;
  readonly created: string;
  readonly blob: string;
  done: boolean;
  size: number;
  digest: string;
  expired: boolean;
}

interface Blob {
  readonly blocks: Map<string, Buffer>;
  content: Buffer | undefined;
}

/**
 * GitHub's service for artifacts, the part of its API that lists them, and the storage behind them,
 * as strict as their descriptions: unknown fields, wrong sums and missing permissions are refused.
 */
export class ArtifactService implements AsyncDisposable {
  readonly origin: string;
  readonly artifacts: Artifact[] = [];
  readonly #blobs = new Map<string, Blob>();
  readonly #server: Server;
  /** Called for each request of the storage; true breaks the connection. */
  breaks: (request: IncomingMessage) => boolean = () => false;
  /** Changes what is read of the storage. */
  spoil: (content: Buffer) => Buffer = (content) => content;

  private constructor(server: Server) {
    this.#server = server;
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(): Promise<ArtifactService> {
    const made: { service?: ArtifactService } = {};
    const server = createServer((from, to) => {
      made.service?.answer(from, to).catch(() => to.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    made.service = new ArtifactService(server);
    return made.service;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** What the runner gives an action of a run. */
  environment(run = "1"): Record<string, string> {
    const claims = { scp: `Actions.Other:x Actions.Results:${run}:7`, exp: 4_102_444_800 };
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    return {
      ACTIONS_RESULTS_URL: `${this.origin}/`,
      ACTIONS_RUNTIME_TOKEN: `${part({ alg: "none" })}.${part(claims)}.sig-${run}`,
      GITHUB_API_URL: `${this.origin}/api`,
      GITHUB_REPOSITORY: REPOSITORY,
    };
  }

  get apiToken(): string {
    return TOKEN_OF_API;
  }

  /** The ZIP file of an artifact. */
  zipOf(name: string): Buffer {
    const artifact = this.artifacts.find((each) => each.name === name && each.done);
    return this.#blobs.get(artifact?.blob ?? "")?.content ?? Buffer.alloc(0);
  }

  async answer(from: IncomingMessage, to: ServerResponse): Promise<void> {
    const url = new URL(from.url ?? "", this.origin);
    if (url.pathname.startsWith("/blob/") && this.breaks(from)) {
      from.socket.destroy();
      return;
    }
    const body = await buffer(from);
    if (url.pathname.startsWith(SERVICE)) return this.#results(from, to, body);
    if (url.pathname.startsWith("/blob/")) return this.#blob(from, to, url, body);
    if (url.pathname.startsWith("/api/")) return this.#api(from, to, url);
    say(to, 404, {});
  }

  #results(from: IncomingMessage, to: ServerResponse, body: Buffer) {
    const { authorization, "content-type": type } = from.headers;
    const run = /\.sig-(\w+)$/.exec(authorization ?? "")?.[1];
    const isBearer = authorization?.startsWith("Bearer ") === true;
    if (run === undefined || !isBearer) return twirp(to, 401, "unauthenticated", "invalid token");
    if (from.method !== "POST" || type !== "application/json") {
      return twirp(to, 404, "bad_route", "no handler");
    }
    const method = (from.url ?? "").slice(SERVICE.length);
    const {
      workflow_run_backend_id: runId,
      workflow_job_run_backend_id: jobId,
      ...fields
    } = JSON.parse(body.toString()) as Record<string, unknown>;
    if (runId !== run || jobId !== "7") return twirp(to, 403, "permission_denied", "other run");
    const known: Readonly<Record<string, readonly string[]>> = {
      CreateArtifact: ["name", "expires_at", "version", "mime_type"],
      FinalizeArtifact: ["name", "size", "hash"],
      ListArtifacts: ["name_filter", "id_filter"],
      GetSignedArtifactURL: ["name"],
      DeleteArtifact: ["name"],
    };
    const strange = Object.keys(fields).find((field) => known[method]?.includes(field) !== true);
    if (strange !== undefined) return twirp(to, 400, "malformed", `unknown field ${strange}`);
    if (method === "CreateArtifact") return this.#create(to, run, fields);
    if (method === "ListArtifacts") return this.#list(to, run, fields.name_filter);
    const found = this.artifacts.find((each) => each.name === fields.name && each.run === run);
    if (found === undefined) return twirp(to, 404, "not_found", "artifact not found");
    if (method === "FinalizeArtifact") return this.#finalize(to, found, fields);
    if (method === "DeleteArtifact") {
      this.artifacts.splice(this.artifacts.indexOf(found), 1);
      return say(to, 200, { ok: true, artifact_id: `${found.id}` });
    }
    if (!found.done) return twirp(to, 404, "not_found", "artifact not found");
    say(to, 200, { signed_url: this.#signed(found.blob, "r") });
  }

  #create(
    to: ServerResponse,
    run: string,
    { name, version, expires_at: until }: Record<string, unknown>,
  ) {
    if (typeof name !== "string" || /["%]?[:<>|*?\\/\r\n"]/.test(name)) {
      return twirp(to, 400, "invalid_argument", "name");
    }
    if (version !== 4 && version !== 7) return twirp(to, 400, "invalid_argument", "version");
    if (until !== undefined && Number.isNaN(Date.parse(`${until}`))) {
      return twirp(to, 400, "invalid_argument", "expires_at");
    }
    if (this.artifacts.some((each) => each.name === name && each.run === run)) {
      return twirp(to, 409, "already_exists", "an artifact with this name already exists");
    }
    const blob = randomBytes(8).toString("hex");
    this.#blobs.set(blob, { blocks: new Map(), content: undefined });
    const created = new Date().toISOString();
    const id = this.artifacts.length + 1_000;
    this.artifacts.unshift({
      ...{ name, id, run, created, blob, done: false, size: 0, digest: "", expired: false },
    });
    say(to, 200, { ok: true, signed_upload_url: this.#signed(blob, "w") });
  }

  #finalize(to: ServerResponse, artifact: Artifact, { size, hash }: Record<string, unknown>) {
    const content = this.#blobs.get(artifact.blob)?.content;
    const digest = `sha256:${sum("sha256", content ?? Buffer.alloc(0), "hex")}`;
    if (content === undefined || `${content.length}` !== size || (hash ?? digest) !== digest) {
      return twirp(to, 400, "invalid_argument", "size or hash");
    }
    Object.assign(artifact, { done: true, size: content.length, digest });
    say(to, 200, { ok: true, artifact_id: `${artifact.id}` });
  }

  #list(to: ServerResponse, run: string, name: unknown) {
    const own = this.artifacts.filter((each) => each.run === run && each.done);
    const artifacts = own.filter((each) => name === undefined || each.name === name);
    say(to, 200, {
      artifacts: artifacts.map((each) => ({
        ...{ workflow_run_backend_id: run, database_id: `${each.id}`, name: each.name },
        ...{ size: `${each.size}`, created_at: each.created, digest: each.digest },
      })),
    });
  }

  #signed(blob: string, permission: string): string {
    return `${this.origin}/blob/${blob}?sv=2025-07-05&sp=${permission}&sig=${sum("sha256", Buffer.from(blob + permission), "hex")}`;
  }

  #blob(from: IncomingMessage, to: ServerResponse, url: URL, body: Buffer) {
    const name = url.pathname.slice("/blob/".length);
    const permission = url.searchParams.get("sp") ?? "";
    const blob = this.#blobs.get(name);
    const isSigned =
      url.searchParams.get("sig") === sum("sha256", Buffer.from(name + permission), "hex");
    const needed = from.method === "PUT" ? "w" : "r";
    if (blob === undefined || !isSigned || permission !== needed || from.headers.authorization) {
      return azure(to, 403, "AuthenticationFailed");
    }
    if (from.method === "GET") return this.#read(from, to, blob);
    const md5 = from.headers["content-md5"];
    if (md5 !== undefined && md5 !== sum("md5", body, "base64"))
      return azure(to, 400, "Md5Mismatch");
    if (url.searchParams.get("comp") === "block") {
      blob.blocks.set(url.searchParams.get("blockid") ?? "", body);
      return void to.writeHead(201).end();
    }
    if (url.searchParams.get("comp") !== "blocklist")
      return azure(to, 400, "MissingRequiredHeader");
    const ids = [...body.toString().matchAll(/<Latest>([^<]*)<\/Latest>/g)].map(
      ([, id = ""]) => id,
    );
    const blocks = ids.map((id) => blob.blocks.get(id));
    if (blocks.includes(undefined)) return azure(to, 400, "InvalidBlockList");
    blob.content = Buffer.concat(blocks.filter((block) => block !== undefined));
    to.writeHead(201).end();
  }

  #read({ headers }: IncomingMessage, to: ServerResponse, { content }: Blob) {
    if (content === undefined) return azure(to, 404, "BlobNotFound");
    const [, from, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "") ?? [];
    if (from === undefined || last === undefined) return void to.end(this.spoil(content));
    const end = Math.min(Number(last) + 1, content.length);
    to.writeHead(206, { "content-range": `bytes ${from}-${end - 1}/${content.length}` });
    to.end(this.spoil(Buffer.from(content.subarray(Number(from), end))));
  }

  #api({ headers, method }: IncomingMessage, to: ServerResponse, url: URL) {
    if (headers.authorization !== `Bearer ${TOKEN_OF_API}`) {
      return say(to, 403, { message: "Resource not accessible by integration" });
    }
    const path = url.pathname.slice(`/api/repos/${REPOSITORY}/actions/artifacts`.length);
    const known = this.artifacts.filter(({ done }) => done);
    if (path === "") {
      const name = url.searchParams.get("name");
      const wanted = known.filter((each) => name === null || each.name === name);
      const page = Number(url.searchParams.get("page") ?? "1");
      const size = Number(url.searchParams.get("per_page") ?? "30");
      const more = page * size < wanted.length;
      url.searchParams.set("page", `${page + 1}`);
      const artifacts = wanted.slice((page - 1) * size, page * size).map((each) => ({
        ...{ id: each.id, name: each.name, size_in_bytes: each.size, expired: each.expired },
        ...{ created_at: each.created, digest: each.digest },
      }));
      return say(
        to,
        200,
        { total_count: wanted.length, artifacts },
        more ? { link: `<${url.href}>; rel="next"` } : {},
      );
    }
    const found = known.find(({ id }) => `${id}` === path.split("/")[1]);
    if (found === undefined) return say(to, 404, { message: "Not Found" });
    if (method === "DELETE") {
      this.artifacts.splice(this.artifacts.indexOf(found), 1);
      return void to.writeHead(204).end();
    }
    if (found.expired) return say(to, 410, { message: "Artifact has expired" });
    to.writeHead(302, { location: this.#signed(found.blob, "r") }).end();
  }
}

function say(to: ServerResponse, status: number, body: object, headers: object = {}) {
  to.writeHead(status, { "content-type": "application/json", ...headers }).end(
    JSON.stringify(body),
  );
}

function twirp(to: ServerResponse, status: number, code: string, msg: string) {
  say(to, status, { code, msg });
}

function azure(to: ServerResponse, status: number, code: string) {
  to.writeHead(status, { "content-type": "application/xml" });
  to.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`);
}

function sum(algorithm: string, bytes: Buffer, form: "hex" | "base64"): string {
  return createHash(algorithm).update(bytes).digest(form);
}
