import type { Registry } from "../../shared/registry/index.ts";
import {
  createdOf,
  type ManifestFacts,
  manifestFacts,
  type Stored,
} from "../../shared/retention/index.ts";
import type { Catalogue, Listed } from "./catalogue.ts";
import { inLanes } from "./lanes.ts";

/** A repository as it is, in full. */
export interface Contents {
  readonly stored: readonly Stored[];
  /** Tags and versions whose manifests the registry lacks. */
  readonly damaged: readonly string[];
  /** Whether ages are the registry's own, or what images say of themselves. */
  readonly timedBy: "registry" | "image";
}

/**
 * Reads every manifest of a repository that can be found: what is listed, and the parts of that.
 *
 * @throws {UserError} when the registry does not answer or refuses.
 */
export async function readRepository(
  catalogue: Catalogue,
  registry: Registry,
  signal: AbortSignal,
): Promise<Contents> {
  const listed = await catalogue.list(signal);
  const reader = new Reader(catalogue.repository.path, registry, signal);
  await reader.add(listed);
  const timedBy = listed.some(({ time }) => time !== undefined) ? "registry" : "image";
  return { stored: reader.stored, damaged: reader.damaged, timedBy };
}

/**
 * What is about these manifests and is listed nowhere: signatures and attestations that a registry
 * knows by their subject. Only asked for what is to be deleted, for what is kept keeps its own.
 */
export async function readReferrers(
  { repository }: Catalogue,
  subjects: readonly Stored[],
  registry: Registry,
  signal: AbortSignal,
): Promise<readonly Stored[]> {
  const reader = new Reader(repository.path, registry, signal);
  const found = await inLanes(subjects, async ({ digest }) => {
    const referrers = await registry.referrers(repository.path, digest, signal);
    return referrers.map((referrer) => ({ digest: referrer.digest, tags: [], time: undefined }));
  });
  await reader.add(found.flat());
  return reader.stored;
}

class Reader {
  readonly #path: string;
  readonly #registry: Registry;
  readonly #signal: AbortSignal;
  readonly #known = new Map<string, Stored>();
  readonly damaged: string[] = [];

  constructor(path: string, registry: Registry, signal: AbortSignal) {
    this.#path = path;
    this.#registry = registry;
    this.#signal = signal;
  }

  get stored(): readonly Stored[] {
    return [...this.#known.values()];
  }

  /** Reads what is listed, and then its parts, and theirs. */
  async add(listed: readonly Listed[]): Promise<void> {
    let [waiting, timed] = [listed, true];
    while (waiting.length > 0) {
      const read = await inLanes(waiting, (each) => this.#read(each, timed));
      for (const stored of read) if (stored !== undefined) this.#known.set(stored.digest, stored);
      const parts = new Set(read.flatMap((stored) => stored?.children ?? []));
      waiting = [...parts]
        .filter((digest) => !this.#known.has(digest) && !this.damaged.includes(digest))
        .map((digest) => ({ digest, tags: [], time: undefined }));
      // A part is as old as what it is a part of.
      timed = false;
    }
  }

  async #read({ digest, tags, time }: Listed, timed: boolean): Promise<Stored | undefined> {
    const manifest = await this.#registry.manifest(this.#path, digest, this.#signal);
    if (manifest === undefined) {
      this.damaged.push(digest);
      return undefined;
    }
    const facts = manifestFacts(manifest.text) ?? unknown(manifest.text);
    const own = time === undefined && timed ? await this.#timeOf(facts) : time;
    return { digest, tags, ...facts, time: own };
  }

  /** What an image says of its making: its configuration, or that of its first platform. */
  async #timeOf({ kind, config, children, created }: ManifestFacts): Promise<number | undefined> {
    if (created !== undefined) return created;
    if (kind === "image" && config !== undefined) {
      const text = await this.#registry.blob(this.#path, config, this.#signal);
      return text === undefined ? undefined : createdOf(text);
    }
    const [first] = children;
    if (kind !== "index" || first === undefined) return undefined;
    const part = await this.#registry.manifest(this.#path, first, this.#signal);
    const facts = part && manifestFacts(part.text);
    return facts && facts.kind === "image" ? this.#timeOf(facts) : undefined;
  }
}

/** Something older or newer than is known: nothing that could be deleted. */
function unknown(text: string): ManifestFacts {
  const none = { subject: undefined, config: undefined, created: undefined };
  return { kind: "artifact", children: [], blobs: [], bytes: Buffer.byteLength(text), ...none };
}
