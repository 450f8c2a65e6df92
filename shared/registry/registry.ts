import type { Readable } from "node:stream";
import {
  digestOfText,
  isDamaged,
  MANIFEST_TYPES,
  mediaTypeOf,
  type StoredManifest,
} from "./manifest.ts";
import { openBlob } from "./open-blob.ts";
import { type Referrer, referrersOf } from "./referrers.ts";
import { contradictory, isImmutable, noRegistry, type Refused, wordsOf } from "./registry-error.ts";
import type { HttpResponse } from "./request.ts";
import { repositoryScope } from "./scope.ts";
import { type Ask, type RegistryAccess, Session } from "./session.ts";
import { listTags } from "./tag-list.ts";
import { type Upload, type Uploaded, upload } from "./upload.ts";

/** What became of a tag or manifest that was to go; `unsupported` where the registry lets nobody delete it so. */
export type Deletion = "deleted" | "absent" | "unsupported";

/** A tag that the registry lets nobody move, once it is there. */
export class TagImmutable extends Error {
  override readonly name = "TagImmutable";
  readonly refusal: Refused;

  constructor(refusal: Refused) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/** To say that it is there, a registry needs less time than to find a manifest. */
const KNOCK_SILENCE_MS = 10_000;
// While two push the same layer to one repository, a registry may not see it for a moment.
const BLINKS_MS = [100, 400, 1_500];
/** Answers larger than this are asked for again rather than kept. */
const LARGEST_KEPT = 256 * 1024;

/**
 * A registry, asked over the OCI distribution protocol. Only loopback registries are spoken to in
 * plain http. Answers 408, 429 and 5xx and broken connections are tried again, 401 and 403 never.
 * Every method throws a `UserError` when the registry cannot be reached or refuses; a refusal is a
 * `Refused`, with its status. What has a digest cannot change: it is asked for once.
 */
export class Registry implements Disposable {
  readonly #session: Session;
  readonly #manifests = new Map<string, StoredManifest>();
  readonly #blobs = new Map<string, number | undefined>();
  /** Whether the registry, when it was first asked, let us in without asking who we are. */
  #knock: Promise<boolean> | undefined;

  constructor(access: RegistryAccess) {
    this.#session = new Session(access);
  }

  [Symbol.dispose](): void {
    this.#session[Symbol.dispose]();
  }

  /** As in an image's name. */
  get host(): string {
    return this.#session.host;
  }

  /**
   * Asks whether the registry answers and would let us read and write a repository. That a token
   * was given is no promise: some registries say no only to the push itself, see `checkPush`. Of a
   * registry that asks nobody who they are the first answer counts for all repositories.
   */
  async checkAccess(path: string, signal: AbortSignal): Promise<void> {
    if (this.#knock === undefined) {
      this.#knock = this.#checkAccess(path, signal).then(() => this.#session.asksNobody);
      await this.#knock;
      return;
    }
    const open = await this.#knock.catch(() => false);
    if (!open) await this.#checkAccess(path, signal);
  }

  async #checkAccess(path: string, signal: AbortSignal): Promise<void> {
    const ask: Ask = {
      method: "GET",
      where: "/v2/",
      scopes: [repositoryScope(path, "pull", "push")],
      signal,
      silence: KNOCK_SILENCE_MS,
    };
    const response = await this.#session.ask(ask);
    if (response.status !== 200) throw this.#session.refusal(ask, response);
    // A site that answers everything with its front page would take every push for done.
    if (/^text\/html\b/i.test(response.headers["content-type"] ?? "")) {
      throw noRegistry(this.#session.locate("/v2/"));
    }
    this.#session.expectGranted(ask);
  }

  /**
   * Begins an upload and takes it back: the one sure sign that a push will be let in, and costs
   * two small requests.
   */
  async checkPush(path: string, signal: AbortSignal): Promise<void> {
    const ask: Ask = {
      method: "POST",
      where: `/v2/${path}/blobs/uploads/`,
      scopes: [repositoryScope(path, "pull", "push")],
      signal,
      headers: { "content-length": "0" },
    };
    const response = await this.#session.ask(ask);
    const { location } = response.headers;
    if (response.status !== 202) throw this.#session.refusal(ask, response);
    if (location === undefined) return;
    const place = this.#session.locate(location);
    // Registries forget what was begun; not all can be told to.
    await this.#session.ask({ ...ask, method: "DELETE", where: place }).catch(() => {
      signal.throwIfAborted();
    });
  }

  /** The manifest under a tag or digest; undefined when there is none. */
  async manifest(
    path: string,
    reference: string,
    signal: AbortSignal,
  ): Promise<StoredManifest | undefined> {
    const known = this.#manifests.get(`${path}@${reference}`);
    if (known !== undefined) return known;
    const flaw = (answer: HttpResponse) => this.#flawOf(path, reference, answer)?.cause;
    const ask = this.#reading(path, "GET", `manifests/${reference}`, signal, { flaw });
    const response = await this.#found(ask);
    if (response === undefined) return undefined;
    const wrong = this.#flawOf(path, reference, response);
    if (wrong !== undefined) throw wrong;
    const text = response.body.toString("utf8");
    const type = response.headers["content-type"]?.split(";")[0]?.trim();
    const mediaType = mediaTypeOf(text) ?? type ?? MANIFEST_TYPES[1];
    const stored = { digest: digestOfText(response.body), text, mediaType };
    this.#keep(path, stored);
    return stored;
  }

  /** The digest under a tag, without the manifest; undefined when there is no such tag. */
  async digestOf(path: string, tag: string, signal: AbortSignal): Promise<string | undefined> {
    const response = await this.#found(this.#reading(path, "HEAD", `manifests/${tag}`, signal));
    const reported = response?.headers["docker-content-digest"];
    if (response === undefined || typeof reported === "string") return reported as string;
    return (await this.manifest(path, tag, signal))?.digest;
  }

  /**
   * Puts a manifest under a tag or its own digest, and gives its digest.
   *
   * @throws {TagImmutable} when the tag leads elsewhere and the registry lets nobody move it.
   */
  async putManifest(
    path: string,
    reference: string,
    { text, mediaType }: Pick<StoredManifest, "text" | "mediaType">,
    signal: AbortSignal,
  ): Promise<string> {
    const body = Buffer.from(text);
    const digest = digestOfText(body);
    const ask: Ask = {
      method: "PUT",
      where: `/v2/${path}/manifests/${reference}`,
      scopes: [repositoryScope(path, "pull", "push")],
      signal,
      headers: { "content-type": mediaType },
      body: () => body,
    };
    const response = await this.#askForSight(ask);
    const reported = response.headers["docker-content-digest"];
    if (![200, 201, 202].includes(response.status)) {
      const refusal = this.#session.refusal(ask, response);
      throw isImmutable(refusal.words) ? new TagImmutable(refusal) : refusal;
    }
    if (typeof reported === "string" && reported !== digest) {
      throw contradictory(`${this.host}/${path}`, reference, reported, digest);
    }
    this.#keep(path, { digest, text, mediaType });
    return digest;
  }

  /** Asks again where the registry does not see parts that were pushed a moment ago. */
  async #askForSight(ask: Ask): Promise<HttpResponse> {
    let response = await this.#session.ask(ask);
    for (const pause of BLINKS_MS) {
      const blind = [400, 404].includes(response.status) && /BLOB_UNKNOWN/.test(wordsOf(response));
      if (!blind) break;
      await this.#session.clock.sleep(pause, ask.signal);
      response = await this.#session.ask(ask);
    }
    return response;
  }

  /** Whether a layer or configuration is there. */
  async hasBlob(path: string, digest: string, signal: AbortSignal): Promise<boolean> {
    return (await this.statBlob(path, digest, signal)) !== undefined;
  }

  /** That a blob is there, and its size in bytes where the registry says it. */
  async statBlob(
    path: string,
    digest: string,
    signal: AbortSignal,
  ): Promise<{ readonly size: number | undefined } | undefined> {
    const key = `${path}@${digest}`;
    if (this.#blobs.has(key)) return { size: this.#blobs.get(key) };
    const response = await this.#found(this.#reading(path, "HEAD", `blobs/${digest}`, signal));
    if (response === undefined) return undefined;
    const length = response.headers["content-length"];
    // A registry that redirects has found the blob: it looks before it signs an address.
    const size = response.status === 200 && length !== undefined ? Number(length) : undefined;
    this.#blobs.set(key, size);
    return { size };
  }

  /** The text of a small blob; undefined when there is none. */
  async blob(path: string, digest: string, signal: AbortSignal): Promise<string | undefined> {
    const name = `${this.host}/${path}`;
    const flaw = (answer: HttpResponse) =>
      answer.status === 200 && isDamaged(answer.body, digest)
        ? "sent other bytes than asked for"
        : undefined;
    const ask = this.#reading(path, "GET", `blobs/${digest}`, signal, { flaw });
    let response = await this.#found(ask);
    if (response === undefined) return undefined;
    const { location } = response.headers;
    if (response.status !== 200 && location !== undefined) {
      const elsewhere = { ...ask, where: this.#session.locate(location), scopes: [] };
      response = await this.#session.ask(elsewhere);
      if (response.status !== 200) throw this.#session.refusal(elsewhere, response);
    }
    if (isDamaged(response.body, digest)) {
      throw contradictory(name, digest, digest, digestOfText(response.body));
    }
    this.#blobs.set(`${path}@${digest}`, response.body.length);
    return response.body.toString("utf8");
  }

  /**
   * The bytes of a blob as they come; undefined when there is none. What breaks off is taken up
   * again where the registry allows. The stream fails when its bytes do not have the digest.
   */
  openBlob(path: string, digest: string, signal: AbortSignal): Promise<Readable | undefined> {
    const ask = this.#reading(path, "GET", `blobs/${digest}`, signal);
    return openBlob(this.#session, ask, `${this.host}/${path}`, digest);
  }

  /** Puts a blob into a repository, unless it is there. */
  async upload(given: Upload, signal: AbortSignal): Promise<Uploaded> {
    const { path, digest } = given;
    const has = () => this.hasBlob(path, digest, signal);
    const uploaded = await upload(this.#session, given, has, signal);
    this.#blobs.delete(`${path}@${digest}`);
    return uploaded;
  }

  /** All tags of a repository; none where there is no such repository. */
  tags(path: string, signal: AbortSignal): Promise<readonly string[]> {
    return listTags(this.#session, path, signal);
  }

  /** Deletes a manifest, and with it the tags that lead to it. */
  async deleteManifest(path: string, digest: string, signal: AbortSignal): Promise<Deletion> {
    this.#manifests.delete(`${path}@${digest}`);
    return this.#delete(path, digest, signal);
  }

  /** Deletes a tag, and leaves what it leads to. Not all registries can: `unsupported`. */
  deleteTag(path: string, tag: string, signal: AbortSignal): Promise<Deletion> {
    return this.#delete(path, tag, signal);
  }

  /** What refers to an image: signatures, attestations, bills of materials. */
  referrers(path: string, digest: string, signal: AbortSignal): Promise<readonly Referrer[]> {
    return referrersOf(this.#session, path, digest, signal, (tag) =>
      this.manifest(path, tag, signal),
    );
  }

  async #delete(path: string, reference: string, signal: AbortSignal): Promise<Deletion> {
    const ask: Ask = {
      method: "DELETE",
      where: `/v2/${path}/manifests/${reference}`,
      scopes: [repositoryScope(path, "pull", "push", "delete")],
      signal,
    };
    const response = await this.#session.ask(ask);
    const { status } = response;
    if (status >= 200 && status < 300) return "deleted";
    if (status === 404) return "absent";
    // Source: OCI distribution, "Deleting tags"; older registries take a tag for a bad digest.
    const byTag = !reference.includes(":");
    if (status === 405 || status === 501 || (status === 400 && byTag)) return "unsupported";
    const refusal = this.#session.refusal(ask, response);
    if (/UNSUPPORTED/.test(refusal.words)) return "unsupported";
    throw refusal;
  }

  #reading(
    path: string,
    method: "GET" | "HEAD",
    what: string,
    signal: AbortSignal,
    rest: Partial<Ask> = {},
  ): Ask {
    const accept = what.startsWith("manifests/") ? { accept: MANIFEST_TYPES.join(", ") } : {};
    const scopes = [repositoryScope(path, "pull")];
    return { method, where: `/v2/${path}/${what}`, scopes, signal, headers: accept, ...rest };
  }

  /** The answer, also one that leads elsewhere; undefined where there is nothing. */
  async #found(ask: Ask): Promise<HttpResponse | undefined> {
    const response = await this.#session.ask(ask);
    const { status } = response;
    if (status === 404) return undefined;
    const moved = status >= 301 && status <= 308 && String(ask.where).includes("/blobs/");
    if (status === 200 || moved) return response;
    throw this.#session.refusal(ask, response);
  }

  #flawOf(path: string, reference: string, response: HttpResponse) {
    if (response.status !== 200) return undefined;
    const computed = digestOfText(response.body);
    const header = response.headers["docker-content-digest"];
    const wanted = reference.startsWith("sha256:") ? reference : header;
    const reported = typeof header === "string" && header !== computed ? header : wanted;
    if (typeof reported !== "string" || reported === computed) return undefined;
    return contradictory(`${this.host}/${path}`, reference, reported, computed);
  }

  #keep(path: string, stored: StoredManifest): void {
    if (stored.text.length > LARGEST_KEPT) return;
    this.#manifests.set(`${path}@${stored.digest}`, stored);
  }
}
