import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import type { Dispatcher } from "undici";
import { codeOf, type UserError } from "../failure/index.ts";
import { explain } from "../probe/index.ts";
import { bytesInWords } from "../quantity/index.ts";
import type { World } from "../world/index.ts";
import { type Attempted, checksumError, networkError, statusError } from "./fetch-trouble.ts";
import { retryAfter, TryFailed } from "./try-failed.ts";

/** A file to fetch. */
export interface Source {
  /** What the user calls it, such as `helm 4.3.0`. */
  readonly what: string;
  readonly url: URL;
  readonly mirrored: boolean;
  /** Sent to this URL's origin, and to no other that it redirects to. */
  readonly headers: Readonly<Record<string, string>>;
  readonly sha256: string;
  readonly table: "built-in" | "own";
}

type Means = Pick<World, "clock" | "log" | "signal" | "environment">;

/** Fetches files, each checked against its checksum while it arrives. */
export interface Downloader {
  /**
   * Fetches a file into a new one; what is there of it when this throws is for the caller to
   * remove. Broken connections, 429 and 5xx are tried again, going on from where it was.
   *
   * @throws {UserError} when it cannot be had within `timeout` milliseconds, or is another file.
   * @throws what the file system says.
   * @throws the reason of the signal when that aborts.
   */
  fetch(source: Source, file: string, timeout: number): Promise<void>;
  close(): Promise<void>;
}

/** A server that sends nothing for so long has died. */
const SILENCE_MS = 15_000;
const CONNECT_MS = 10_000;
const MOST_REDIRECTS = 10;
const MOST_BYTES = 2 ** 31;
const PROGRESS_MS = 10_000;
const BEGINNING_BYTES = 4_096;

/**
 * A downloader that takes the proxies that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name. The client is
 * loaded with the first file: where every tool is there already, nobody needs it.
 */
export function openDownloader(means: Means): Downloader {
  let agent: Promise<Dispatcher> | undefined;
  return {
    async fetch(source, file, timeout) {
      agent ??= openAgent(means.environment);
      const handle = await open(file, "wx");
      try {
        await new Fetch(source, handle, await agent, means, timeout).run();
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
    close: async () => await (await agent)?.destroy(),
  };
}

async function openAgent(environment: Means["environment"]): Promise<Dispatcher> {
  const { EnvHttpProxyAgent } = await import("undici");
  return new EnvHttpProxyAgent({
    allowH2: false,
    connect: { timeout: CONNECT_MS },
    headersTimeout: SILENCE_MS,
    bodyTimeout: SILENCE_MS,
    httpProxy: environment.http_proxy ?? environment.HTTP_PROXY ?? "",
    httpsProxy: environment.https_proxy ?? environment.HTTPS_PROXY ?? "",
    noProxy: environment.no_proxy ?? environment.NO_PROXY ?? "",
  });
}

/** The file could not be written. */
class DiskTrouble extends Error {
  readonly reason: unknown;

  constructor(reason: unknown) {
    super("the file could not be written");
    this.reason = reason;
  }
}

class Fetch {
  readonly #source: Source;
  readonly #handle: FileHandle;
  readonly #agent: Dispatcher;
  readonly #means: Means;
  readonly #timeout: number;
  readonly #began: number;
  #hash: Hash = createHash("sha256");
  #bytes = 0;
  #total: number | undefined;
  #beginning = Buffer.alloc(0);
  #etag: string | undefined;
  /** The last address asked, after redirects. */
  #asked: URL;
  #toldAt: number;

  constructor(
    source: Source,
    handle: FileHandle,
    agent: Dispatcher,
    means: Means,
    timeout: number,
  ) {
    this.#source = source;
    this.#asked = source.url;
    this.#handle = handle;
    this.#agent = agent;
    this.#means = means;
    this.#timeout = timeout;
    this.#began = means.clock.now();
    this.#toldAt = this.#began;
  }

  async run(): Promise<void> {
    await this.#receive();
    const first = this.#digest();
    if (first === this.#source.sha256) return;
    // A page in its place stays one; a flipped bit may not.
    this.#means.log.info(
      `${this.#source.what}: the checksum is wrong after ${this.#bytes} bytes; fetching it once more`,
    );
    await this.#restart();
    await this.#receive();
    const got = this.#digest();
    if (got === this.#source.sha256) return;
    const { sha256: expected, table } = this.#source;
    const received = { bytes: this.#bytes, beginning: this.#beginning };
    throw checksumError(this.#attempted(1), { expected, got, table }, received);
  }

  #digest(): string {
    return this.#hash.copy().digest("hex");
  }

  /** Tries until the file is there to its end. */
  async #receive(): Promise<void> {
    let tries = 0;
    for (let inVain = 1; ; inVain += 1) {
      tries += 1;
      const before = this.#bytes;
      try {
        await this.#tryOnce();
        return;
      } catch (error) {
        if (!(error instanceof TryFailed)) throw error;
        if (this.#bytes > before) inVain = 1;
        const pause = error.pauseAfter(inVain);
        if (!error.isWorthAnotherAfter(inVain) || this.#left() <= pause) {
          throw this.#failure(error, tries);
        }
        this.#tellPause(error, pause);
        await this.#means.clock.sleep(pause, this.#means.signal);
      }
    }
  }

  #left(): number {
    return this.#began + this.#timeout - this.#means.clock.now();
  }

  #tellPause({ message }: TryFailed, pause: number): void {
    const { log } = this.#means;
    const kept = this.#bytes > 0 ? `, going on after ${bytesInWords(this.#bytes)}` : "";
    log.info(`${this.#source.what}: ${message}; trying again in ${pause / 1_000} s${kept}`);
  }

  async #tryOnce(): Promise<void> {
    const { signal } = this.#means;
    const clock = AbortSignal.timeout(Math.max(1, this.#left()));
    try {
      await this.#write(await this.#request(AbortSignal.any([signal, clock])));
    } catch (error) {
      signal.throwIfAborted();
      const { host } = this.#asked;
      if (error instanceof DiskTrouble) throw error.reason;
      if (error instanceof TryFailed) throw error;
      if (clock.aborted) {
        const seconds = this.#timeout / 1_000;
        throw new TryFailed(
          `it was not there after ${seconds} s (${bytesInWords(this.#bytes)} so far)`,
          { trouble: "timeout" },
        );
      }
      if (/^UND_ERR_(BODY|HEADERS)_TIMEOUT$/.test(codeOf(error) ?? "")) {
        throw new TryFailed(`${host} sent nothing for ${SILENCE_MS / 1_000} s`, {
          trouble: "timeout",
        });
      }
      const { message, trouble } = explain(error, host);
      throw new TryFailed(message, { trouble });
    }
  }

  /** The answer with the file's bytes. */
  async #request(signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    let url = this.#source.url;
    for (let hops = 0; ; hops += 1) {
      this.#asked = url;
      const response = await this.#agent.request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: "GET",
        headers: this.#headersFor(url),
        signal,
      });
      const { statusCode: status, headers } = response;
      if (status === 200 || status === 206) return response;
      await response.body.dump().catch(() => {});
      if (status === 416) {
        // The server's file is shorter than what is here already: it is another one.
        await this.#restart();
        throw new TryFailed("the server's file has changed", { trouble: "broken-off" });
      }
      const location = headers.location;
      if (status < 300 || status > 399 || typeof location !== "string") {
        const pause = retryAfter(headers["retry-after"], this.#means.clock.now());
        throw new TryFailed(`${url.host} answered with status ${status}`, {
          trouble: "other",
          status,
          pause,
        });
      }
      if (hops === MOST_REDIRECTS) {
        throw new TryFailed(
          `there are more than ${MOST_REDIRECTS} redirects, the last to ${location}`,
          { trouble: "redirect", final: true },
        );
      }
      url = redirected(url, location);
    }
  }

  #headersFor(url: URL): Record<string, string> {
    const own = url.origin === this.#source.url.origin ? this.#source.headers : {};
    const resumed = this.#bytes > 0;
    return {
      "user-agent": "seaworthy-setup-tools",
      accept: "*/*",
      // Bytes as they are: the checksum is of those.
      "accept-encoding": "identity",
      ...own,
      ...(resumed ? { range: `bytes=${this.#bytes}-` } : {}),
      ...(resumed && this.#etag !== undefined ? { "if-range": this.#etag } : {}),
    };
  }

  async #write({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<void> {
    if (statusCode === 206 && !beginsAt(headers["content-range"], this.#bytes)) {
      await body.dump().catch(() => {});
      await this.#restart();
      throw new TryFailed("the server sent another part than the one asked for", {
        trouble: "broken-off",
      });
    }
    // A server that does not resume begins anew.
    if (statusCode === 200 && this.#bytes > 0) await this.#restart();
    const length = Number(headers["content-length"]);
    this.#total = Number.isFinite(length) ? this.#bytes + length : undefined;
    const etag = headers.etag;
    this.#etag = typeof etag === "string" && !etag.startsWith("W/") ? etag : undefined;
    for await (const chunk of body as AsyncIterable<Buffer>) await this.#take(chunk);
    if (this.#total !== undefined && this.#bytes < this.#total) {
      throw new TryFailed(`the connection ended after ${this.#bytes} of ${this.#total} bytes`, {
        trouble: "broken-off",
      });
    }
  }

  async #take(chunk: Buffer): Promise<void> {
    if (this.#bytes + chunk.length > MOST_BYTES) {
      throw new TryFailed(`the file is larger than ${bytesInWords(MOST_BYTES)}`, {
        trouble: "redirect",
        final: true,
      });
    }
    await this.#put(chunk);
    this.#hash.update(chunk);
    if (this.#beginning.length < BEGINNING_BYTES) {
      this.#beginning = Buffer.concat([this.#beginning, chunk]).subarray(0, BEGINNING_BYTES);
    }
    this.#bytes += chunk.length;
    this.#tellProgress();
  }

  async #put(chunk: Buffer): Promise<void> {
    try {
      for (let done = 0; done < chunk.length; ) {
        const at = this.#bytes + done;
        const { bytesWritten } = await this.#handle.write(chunk, done, chunk.length - done, at);
        done += bytesWritten;
      }
    } catch (error) {
      throw new DiskTrouble(error);
    }
  }

  #tellProgress(): void {
    const { clock, log } = this.#means;
    const now = clock.now();
    if (now - this.#toldAt < PROGRESS_MS) return;
    this.#toldAt = now;
    const rate = this.#bytes / Math.max(1, (now - this.#began) / 1_000);
    const of = this.#total === undefined ? "" : ` of ${bytesInWords(this.#total)}`;
    const left =
      this.#total === undefined ? "" : `, ${Math.ceil((this.#total - this.#bytes) / rate)} s left`;
    log.info(
      `${this.#source.what}: ${bytesInWords(this.#bytes)}${of}, ${bytesInWords(rate)}/s${left}`,
    );
  }

  async #restart(): Promise<void> {
    await this.#handle.truncate(0);
    this.#hash = createHash("sha256");
    this.#bytes = 0;
    this.#beginning = Buffer.alloc(0);
    this.#etag = undefined;
  }

  #failure(error: TryFailed, tries: number): UserError {
    const attempted = this.#attempted(tries);
    if (error.status === undefined) return networkError(attempted, error.trouble, error.message);
    return statusError(attempted, error.status, Object.keys(this.#source.headers).length > 0);
  }

  #attempted(tries: number): Attempted {
    const { what, url, mirrored } = this.#source;
    const { clock, environment } = this.#means;
    const seconds = Math.round((clock.now() - this.#began) / 100) / 10;
    return { what, url, asked: this.#asked, mirrored, tries, seconds, environment };
  }
}

/** Where a redirect leads. */
function redirected(from: URL, location: string): URL {
  const url = URL.parse(location, from.href);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new TryFailed(
      `${from.host} redirects to ${JSON.stringify(location)}, which is no HTTP URL`,
      { trouble: "redirect", final: true },
    );
  }
  if (from.protocol === "https:" && url.protocol === "http:") {
    throw new TryFailed(`${from.host} redirects to ${url.origin}, which is not encrypted`, {
      trouble: "redirect",
      final: true,
    });
  }
  return url;
}

function beginsAt(range: string | string[] | undefined, offset: number): boolean {
  return /^bytes (\d+)-/.exec(String(range))?.[1] === String(offset);
}
