import { createHash } from "node:crypto";
import { UserError } from "../failure/index.ts";
import { Patience } from "./patience.ts";
import { corrupted, isFull, type Refused } from "./registry-error.ts";
import type { Body, HttpResponse } from "./request.ts";
import { repositoryScope } from "./scope.ts";
import type { Ask, Session } from "./session.ts";

/** What is uploaded: bytes at hand, or ones that are read from any place on, and may be again. */
export type Content =
  | Uint8Array
  | {
      readonly size: number;
      /** The bytes from this place to the end. */
      readonly open: (from: number) => AsyncIterable<Uint8Array>;
    };

/** A blob on its way into a repository. */
export interface Upload {
  readonly path: string;
  readonly digest: string;
  readonly content: Content;
  /** Another repository of the same registry that has it: it is mounted from there, if that is allowed. */
  readonly from?: string | undefined;
}

/** How a blob came to be in the repository. */
export type Uploaded = "there" | "mounted" | "sent";

// Smaller ones go in the one request that ends the upload; there is little in them to resume.
const AT_ONCE = 1024 * 1024;
/** For registries, or proxies before them, that take no large request. */
const SMALL_CHUNK = 4 * 1024 * 1024;
/** The answer to the last request comes after the registry has read the whole blob once more. */
const COMMIT_SILENCE_MS = 120_000;
const MOST_GARBLED = 3;

/** The line broke, or the registry lost its thread: what it has by now must be asked. */
class Torn extends Error {
  override readonly name = "Torn";
  readonly failure: UserError;

  constructor(failure: UserError) {
    super(failure.message);
    this.failure = failure;
  }
}

/**
 * Puts a blob into a repository. What breaks off is resumed where the registry says that it
 * stopped, and begun anew where it has forgotten. Source: OCI distribution, "Pushing blobs".
 *
 * @param has asks whether the blob is there.
 * @throws {UserError} when the registry refuses, stays away, or garbles what it is sent.
 */
export async function upload(
  session: Session,
  given: Upload,
  has: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<Uploaded> {
  if (await has()) return "there";
  const sending = new Sending(session, given, signal);
  for (;;) {
    try {
      return await sending.attempt();
    } catch (error) {
      if (!(error instanceof Torn)) throw error;
      await sending.pauseAfter(error);
      // The last answer may be all that was lost.
      if (await has()) return "sent";
    }
  }
}

class Sending {
  readonly #session: Session;
  readonly #upload: Upload;
  readonly #signal: AbortSignal;
  readonly #scopes: readonly string[];
  readonly #size: number;
  #patience: Patience;
  #garbled = 0;
  #mountable: boolean;
  #chunk = Number.POSITIVE_INFINITY;
  #farthest = 0;

  constructor(session: Session, given: Upload, signal: AbortSignal) {
    this.#session = session;
    this.#upload = given;
    this.#signal = signal;
    const { path, content, from } = given;
    this.#mountable = from !== undefined && from !== path;
    this.#scopes = [repositoryScope(path, "pull", "push")];
    this.#size = content instanceof Uint8Array ? content.length : content.size;
    this.#patience = new Patience(session.clock, true);
  }

  async attempt(): Promise<Uploaded> {
    const begun = await this.#begin();
    if (begun === "mounted") return begun;
    if (this.#size <= AT_ONCE) {
      await this.#commit(begun, 0);
      return "sent";
    }
    let place: Place = { url: begun, at: 0 };
    while (place.at < this.#size) place = await this.#sendFrom(place);
    await this.#commit(place.url, this.#size);
    return "sent";
  }

  async pauseAfter({ failure }: Torn): Promise<void> {
    const retry = this.#patience.afterNonsense("broke off");
    if (retry === undefined) throw failure;
    await this.#session.clock.sleep(retry.wait, this.#signal);
  }

  async #begin(): Promise<URL | "mounted"> {
    const { path, digest, from } = this.#upload;
    const mount =
      this.#mountable && from !== undefined
        ? `?${new URLSearchParams({ mount: digest, from })}`
        : "";
    const reading = mount === "" || from === undefined ? [] : [repositoryScope(from, "pull")];
    const ask: Ask = {
      method: "POST",
      where: `/v2/${path}/blobs/uploads/${mount}`,
      scopes: [...this.#scopes, ...reading],
      signal: this.#signal,
      headers: { "content-length": "0" },
    };
    const response = await this.#session.ask(ask);
    if (mount !== "" && response.status === 201) return "mounted";
    // Once is enough: what is refused now is refused again.
    if (mount !== "") this.#mountable = false;
    const { location } = response.headers;
    if (response.status === 202 && location !== undefined) return this.#session.locate(location);
    if (mount !== "") return this.#begin();
    throw this.#session.refusal(ask, response);
  }

  /** Sends on from a place, and gives the next one. */
  async #sendFrom({ url, at }: Place): Promise<Place> {
    const end = Math.min(this.#size, at + this.#chunk);
    const ask: Ask = {
      ...this.#asking("PATCH", url),
      headers: {
        "content-type": "application/octet-stream",
        "content-length": `${end - at}`,
        // Who sends all at once says nothing of ranges, as docker does: some registries know none.
        ...(at === 0 && end === this.#size ? {} : { "content-range": `${at}-${end - 1}` }),
      },
      body: () => this.#bytes(at, end),
    };
    const response = await this.#tried(ask);
    if (response?.status === 202) {
      const next = this.#placeIn(response, url) ?? { url, at: end };
      return this.#moved({ ...next, at: next.at > at ? next.at : end });
    }
    if (response?.status === 413 && end - at > SMALL_CHUNK) {
      this.#chunk = SMALL_CHUNK;
      throw new Torn(this.#session.refusal(ask, response));
    }
    if (response === undefined) return this.#resume(url, new Torn(this.#lost(ask)));
    const failure = this.#session.refusal(ask, response);
    if (isFinal(failure)) throw failure;
    return this.#resume(url, new Torn(failure), response.status === 416 && at === 0);
  }

  /** Where the registry says that it stopped. */
  async #resume(url: URL, torn: Torn, notFromStart = false): Promise<Place> {
    await this.pauseAfter(torn);
    const response = await this.#tried(this.#asking("GET", url));
    if (response === undefined || response.status >= 300) throw torn;
    const place = this.#placeIn(response, url);
    if (place === undefined) throw torn;
    // "0-0" is said for one byte and for none. To send the one again where it is not wanted is
    // refused; where it is taken twice, the digest tells.
    return this.#moved(place.at === 0 && notFromStart ? { ...place, at: 1 } : place);
  }

  async #commit(url: URL, from: number): Promise<void> {
    const { digest, path } = this.#upload;
    const where = new URL(url);
    where.searchParams.set("digest", digest);
    const ask: Ask = {
      ...this.#asking("PUT", where),
      headers: {
        "content-type": "application/octet-stream",
        "content-length": `${this.#size - from}`,
      },
      silence: COMMIT_SILENCE_MS,
      body: () => this.#bytes(from, this.#size),
    };
    const response = await this.#tried(ask);
    if (response === undefined) throw new Torn(this.#lost(ask));
    if (response.status === 201 || response.status === 204) {
      const reported = response.headers["docker-content-digest"];
      if (reported === undefined || reported === digest) return;
      throw corrupted(`${this.#session.host}/${path}`, digest, `it reports ${reported}`);
    }
    const failure = this.#session.refusal(ask, response);
    if (response.status === 400) {
      await this.#expectOwnDigest();
      this.#garbled += 1;
      const words = `it took them for something else (${failure.words})`;
      if (this.#garbled < MOST_GARBLED) throw new Torn(failure);
      throw corrupted(`${this.#session.host}/${path}`, digest, words);
    }
    if (isFinal(failure)) throw failure;
    throw new Torn(failure);
  }

  #asking(method: Ask["method"], where: URL): Ask {
    return { method, where, scopes: this.#scopes, signal: this.#signal, once: true };
  }

  /** An answer, or undefined when the line broke. */
  async #tried(ask: Ask): Promise<HttpResponse | undefined> {
    try {
      return await this.#session.ask(ask);
    } catch (error) {
      this.#signal.throwIfAborted();
      if (error instanceof UserError && !("status" in error)) {
        this.#failure = error;
        return undefined;
      }
      throw error;
    }
  }

  #failure: UserError | undefined;

  #lost(ask: Ask): UserError {
    return (
      this.#failure ??
      new UserError({
        title: `The registry ${this.#session.host} broke off`,
        cause: `${ask.method} of ${this.#upload.digest} had no answer.`,
        remedy: "Run again: what is there already is not sent again.",
      })
    );
  }

  #placeIn({ headers }: HttpResponse, base: URL): Place | undefined {
    const { location, range } = headers;
    const url = location === undefined ? base : this.#session.locate(location, base);
    const last = /^(?:bytes=)?0-(\d+)$/.exec(range ?? "")?.[1];
    if (last === undefined) return undefined;
    const at = last === "0" ? 0 : Number(last) + 1;
    return at > this.#size ? undefined : { url, at };
  }

  #moved(place: Place): Place {
    if (place.at > this.#farthest) {
      // Whoever gets on may break off again and again.
      this.#farthest = place.at;
      this.#patience = new Patience(this.#session.clock, true);
    }
    return place;
  }

  #bytes(from: number, to: number): Body {
    const { content } = this.#upload;
    if (content instanceof Uint8Array) return content.subarray(from, to);
    return from === to ? new Uint8Array() : firstOf(content.open(from), to - from);
  }

  /** @throws {UserError} when what we send is not what we say: no registry is to blame then. */
  async #expectOwnDigest(): Promise<void> {
    const { content, digest } = this.#upload;
    const hash = createHash("sha256");
    const pieces = content instanceof Uint8Array ? [content] : content.open(0);
    for await (const piece of pieces) hash.update(piece);
    const own = `sha256:${hash.digest("hex")}`;
    if (own !== digest) {
      throw new Error(`what was to be uploaded as ${digest} has the digest ${own}`);
    }
  }
}

interface Place {
  readonly url: URL;
  readonly at: number;
}

/** Whether nothing but time, another account or another registry would change the answer. */
function isFinal({ status, words }: Refused): boolean {
  return [401, 403, 405, 413, 429, 507].includes(status) || isFull(words);
}

async function* firstOf(
  bytes: AsyncIterable<Uint8Array>,
  length: number,
): AsyncGenerator<Uint8Array> {
  let left = length;
  for await (const piece of bytes) {
    yield piece.subarray(0, left);
    left -= piece.length;
    if (left <= 0) return;
  }
}
