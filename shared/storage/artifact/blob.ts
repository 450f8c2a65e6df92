import { describe, UserError } from "../../failure/index.ts";
import type { World } from "../../world/index.ts";
import type { Part } from "../transfer/part.ts";
import type { Answer, Body, Wire, WireRequest } from "../transfer/wire.ts";

const SILENCE_MS = 30_000;
const RETRIES = 5;
const PASSING = new Set([408, 429, 500, 502, 503, 504]);

/** The storage behind the artifacts, Azure's, by addresses that hold their own permission. */
export class BlobStore {
  readonly #wire: Wire;
  readonly #world: Pick<World, "clock" | "log">;

  constructor(wire: Wire, world: Pick<World, "clock" | "log">) {
    this.#wire = wire;
    this.#world = world;
  }

  /** Sends a block; it counts only when the list names it. Source: Azure, Put Block. */
  async putBlock(url: URL, part: Part, signal: AbortSignal): Promise<void> {
    const query = { comp: "block", blockid: blockId(part.index) };
    const headers = { "content-md5": part.md5.toString("base64") };
    await this.#ask({ method: "PUT", url: withQuery(url, query), headers, body: part, signal });
  }

  /** Makes a blob of blocks, in their order. Source: Azure, Put Block List. */
  async putList(url: URL, count: number, body: (xml: string) => Body, signal: AbortSignal) {
    const ids = Array.from({ length: count }, (_, index) => `<Latest>${blockId(index)}</Latest>`);
    const xml = `<?xml version="1.0" encoding="utf-8"?><BlockList>${ids.join("")}</BlockList>`;
    const headers = {
      "content-type": "application/xml",
      "x-ms-blob-content-type": "application/zip",
    };
    const target = withQuery(url, { comp: "blocklist" });
    await this.#ask({ method: "PUT", url: target, headers, body: body(xml), signal });
  }

  /** From one byte (included) to another (excluded). */
  async get(url: URL, from: number, to: number, signal: AbortSignal): Promise<Answer> {
    const headers = { range: `bytes=${from}-${to - 1}`, "accept-encoding": "identity" };
    const answer = await this.#ask({ method: "GET", url, headers, signal, streamed: true });
    const start = /^bytes (\d+)-/.exec(answer.headers["content-range"] ?? "")?.[1];
    if (answer.status === 206 ? Number(start) === from : from === 0) return answer;
    answer.cancel?.();
    throw new UserError({
      title: "The storage of artifacts answers strangely",
      cause: `Bytes from ${from} on were asked for, and ${url.host} answered ${answer.status} with others.`,
      remedy: "Run again.",
    });
  }

  async #ask(request: Omit<WireRequest, "silence">): Promise<Answer> {
    const { method, url, signal } = request;
    for (let retried = 0; ; retried += 1) {
      let told: string;
      try {
        const answer = await this.#wire.send({ ...request, silence: SILENCE_MS });
        if (answer.status >= 200 && answer.status < 300) return answer;
        const words = /<Code>([^<]*)<\/Code>/.exec(answer.text)?.[1] ?? "no words";
        told = `answered ${answer.status}: ${words}`;
        const isPassing = PASSING.has(answer.status) || words === "Md5Mismatch";
        if (!isPassing) throw refused(method, url, told);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof UserError) throw error;
        told = `gave no whole answer: ${describe(error)}`;
      }
      if (retried === RETRIES) throw refused(method, url, told);
      this.#world.log.debug(`${url.host} ${told}; it is tried again`);
      await this.#world.clock.sleep(300 * 2 ** retried, signal);
    }
  }
}

function withQuery(url: URL, query: Readonly<Record<string, string>>): URL {
  const full = new URL(url);
  for (const [name, value] of Object.entries(query)) full.searchParams.set(name, value);
  return full;
}

/** All of one length, as Azure wants them. */
function blockId(index: number): string {
  return Buffer.from(`block-${`${index}`.padStart(6, "0")}`).toString("base64");
}

function refused(method: string, url: URL, told: string): UserError {
  const isExpired = /AuthenticationFailed|answered 403/.test(told);
  return new UserError({
    title: isExpired
      ? "The permission for the artifact has run out"
      : "The storage of artifacts does not serve",
    cause: `${method} ${url.origin}${url.pathname} ${told}.`,
    remedy: isExpired
      ? "An artifact has to be sent within about an hour: keep larger backups in a bucket or a folder."
      : "Check that this runner can reach it (or names the proxy in HTTPS_PROXY), and run again.",
  });
}
