import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import type { OpenedBackup } from "../../../shared/backup/index.ts";
import { type SearchSettings, searchSource } from "../../../shared/search-cluster/index.ts";
import { Secrets } from "../../../shared/secrets/index.ts";
import { systemClock, type World } from "../../../shared/world/index.ts";

/** A world whose log is kept. */
export function worldWith(signal: AbortSignal = new AbortController().signal) {
  const lines: string[] = [];
  const world: World = {
    clock: systemClock,
    log: {
      info: (text) => void lines.push(text),
      debug: () => undefined,
      warning: (text) => void lines.push(`warning: ${text}`),
      group: () => undefined,
    },
    secrets: new Secrets(),
    signal,
    aftermath: AbortSignal.timeout(60_000),
    environment: {},
  };
  return { world, lines };
}

/** A backup as it would lie in a storage, kept in memory. */
export async function backUp(settings: SearchSettings, world = worldWith().world) {
  const parts = new Map<string, Buffer>();
  const sink = {
    async write(name: string, content: Readable) {
      const pieces: Buffer[] = [];
      for await (const piece of content) pieces.push(Buffer.from(piece as Buffer));
      parts.set(name, Buffer.concat(pieces));
    },
  };
  const captured = await searchSource(settings).capture(sink, world);
  // As it comes back from a storage.
  const fingerprint = JSON.parse(JSON.stringify(captured.fingerprint)) as unknown;
  const opened = { fingerprint: async () => fingerprint } as unknown as OpenedBackup;
  return { captured, parts, opened };
}

/** A cluster as a test plays with it. */
export class Search {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const type = typeof body === "string" ? "application/x-ndjson" : "application/json";
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const init =
      body === undefined ? { method } : { method, body: text, headers: { "content-type": type } };
    const answer = await fetch(`${this.url}${path}`, init as RequestInit);
    const said = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${said}`);
    return JSON.parse(said || "{}") as T;
  }

  /** Fills an index with papers; the same ones for the same numbers. */
  async fill(index: string, count: number, from = 0): Promise<void> {
    const lines: string[] = [];
    for (let number = from; number < from + count; number += 1) {
      const title = createHash("sha256").update(`${number}`).digest("hex");
      lines.push(JSON.stringify({ index: { _id: `paper-${number}` } }));
      // A number that JavaScript cannot hold, and spaces of the writer's own.
      lines.push(
        `{"title": "${title}",  "doi":1234567890123456789, "score":1.0,"text":"\\"a}]\\\\"}`,
      );
    }
    await this.ask("POST", `/${index}/_bulk?refresh=true`, `${lines.join("\n")}\n`);
  }

  async names(pattern: string): Promise<string[]> {
    const path = `/_cat/indices/${pattern}?h=index&format=json&expand_wildcards=all`;
    return (await this.ask<{ index: string }[]>("GET", path)).map(({ index }) => index).sort();
  }
}
