import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { Readable } from "node:stream";
import { FormatError, UserError } from "../../failure/index.ts";
import { GitHub } from "../../github/index.ts";
import type { World } from "../../world/index.ts";
import { existsAlready, notAsStored, notThere } from "../errors.ts";
import { byName, checkName, isName } from "../name.ts";
import type { StorageSettings } from "../settings.ts";
import type { Refused, Storage, StoredObject, WriteOptions, Written } from "../storage.ts";
import { inFlight } from "../transfer/in-flight.ts";
import { leashed } from "../transfer/leash.ts";
import { type Part, partsOf } from "../transfer/part.ts";
import { resumed } from "../transfer/resumed.ts";
import { bodyOf, Wire } from "../transfer/wire.ts";
import { artifactName, objectName } from "./artifact-name.ts";
import { BlobStore } from "./blob.ts";
import { Results } from "./results.ts";
import { contentBytes, spanIn, unpacked, unzipped, zipped, zippedBytes } from "./zip.ts";

const AT_ONCE = 3;
const READ = "actions: read";
const WRITE = "actions: write";

/** An artifact of this run, or of an earlier one. */
interface Kept {
  readonly artifact: string;
  readonly zipBytes: number;
  readonly created: number;
  readonly sha256: string | undefined;
  /** Of GitHub's API, for artifacts of other runs. */
  readonly id: string | undefined;
}

/** An artifact of the API. Source: GitHub, "REST API endpoints for GitHub Actions artifacts". */
interface ApiArtifact {
  readonly id: number;
  readonly name: string;
  readonly size_in_bytes: number;
  readonly expired: boolean;
  readonly created_at: string | null;
  readonly digest?: string | null;
}

/**
 * Opens the artifacts of this run, and with a token those of earlier ones.
 *
 * @throws {UserError} where this is no job that could have any.
 */
export function openArtifacts(
  { prefix }: { readonly prefix: string },
  settings: StorageSettings,
  world: World,
): Storage {
  const results = Results.of(world);
  const { GITHUB_REPOSITORY: repository } = world.environment;
  const token = settings.githubToken || undefined;
  const github = token !== undefined && repository ? new GitHub({ token, world }) : undefined;
  if (results === undefined && (github === undefined || settings.create === true)) {
    throw new UserError({
      title: "There are no artifacts here",
      cause: `ACTIONS_RESULTS_URL and ACTIONS_RUNTIME_TOKEN are not set${github === undefined ? ", and no token for GitHub's API was given" : ""}: this is no job of GitHub Actions, or its server keeps artifacts in another way.`,
      remedy:
        "Keep backups in a bucket or a folder; or run this as an action on GitHub, with a token that has `actions: read` to find earlier runs' artifacts.",
    });
  }
  return new ArtifactStorage(prefix, { results, github, repository }, settings, world);
}

interface Services {
  readonly results: Results | undefined;
  readonly github: GitHub | undefined;
  readonly repository: string | undefined;
}

/** Keeps each object as an artifact of the run; finds those of earlier runs. */
class ArtifactStorage implements Storage {
  readonly place: string;
  readonly #prefix: string;
  readonly #services: Services;
  readonly #settings: StorageSettings;
  readonly #world: World;
  readonly #blobs: BlobStore;

  constructor(prefix: string, services: Services, settings: StorageSettings, world: World) {
    this.#prefix = prefix;
    this.#services = services;
    this.#settings = settings;
    this.#world = world;
    this.#blobs = new BlobStore(new Wire(world.environment, settings.ca || undefined), world);
    this.place = `artifacts ${prefix.slice(0, -1)}`;
  }

  async *list(prefix: string, signal: AbortSignal): AsyncGenerator<StoredObject> {
    const found = new Map<string, StoredObject>();
    // The newest comes first, and this run's own before all.
    for await (const kept of this.#all(signal)) {
      const object = this.#objectOf(kept);
      if (object === undefined || !object.name.startsWith(prefix)) continue;
      if (!found.has(object.name)) found.set(object.name, object);
    }
    yield* [...found.values()].sort((a, b) => byName(a.name, b.name));
  }

  async *#all(signal: AbortSignal): AsyncGenerator<Kept> {
    const { results, github, repository } = this.#services;
    for (const own of (await results?.list(undefined, signal)) ?? []) {
      yield { ...own, artifact: own.name, zipBytes: own.bytes, id: undefined };
    }
    if (github === undefined) return;
    try {
      const path = `/repos/${repository}/actions/artifacts`;
      const listed = await github.list<ApiArtifact>(path, READ, signal);
      for await (const artifact of listed ?? []) yield* keptOf(artifact);
    } catch (error) {
      // Whoever writes may do without what others wrote; whoever looks for a backup may not.
      const isOptional = error instanceof UserError && this.#settings.create === true;
      if (!isOptional || results === undefined) throw error;
      this.#world.log.warning(
        `Artifacts of earlier runs are not seen, so that nothing is known of older backups: ${error.cause} ${error.remedy}`,
      );
    }
  }

  #objectOf({ artifact, zipBytes, created }: Kept): StoredObject | undefined {
    const name = objectName(artifact);
    if (name === undefined || !name.startsWith(this.#prefix) || !isName(name)) return undefined;
    const bytes = contentBytes(memberOf(name), zipBytes);
    if (bytes === undefined) return undefined;
    return { name: name.slice(this.#prefix.length), bytes, modified: created, state: "ready" };
  }

  /** This run's own artifact of a name. */
  async #findOwn(name: string, signal: AbortSignal): Promise<Kept | undefined> {
    checkName(name);
    const artifact = artifactName(`${this.#prefix}${name}`);
    const listed = await this.#services.results?.list(artifact, signal);
    const own = listed?.find(({ name: it }) => it === artifact);
    return own && { ...own, artifact, zipBytes: own.bytes, id: undefined };
  }

  /** The artifact of a name: this run's own, or else the newest. */
  async #find(name: string, signal: AbortSignal): Promise<Kept | undefined> {
    const own = await this.#findOwn(name, signal);
    if (own !== undefined) return own;
    const { github, repository } = this.#services;
    const artifact = artifactName(`${this.#prefix}${name}`);
    const path = `/repos/${repository}/actions/artifacts?name=${encodeURIComponent(artifact)}`;
    for await (const other of (await github?.list<ApiArtifact>(path, READ, signal)) ?? []) {
      if (other.name === artifact && !other.expired) return [...keptOf(other)][0];
    }
    return undefined;
  }

  async stat(name: string, signal: AbortSignal): Promise<StoredObject | undefined> {
    const kept = await this.#find(name, signal);
    return kept && this.#objectOf(kept);
  }

  async write(name: string, content: Readable | Buffer, options: WriteOptions): Promise<Written> {
    return leashed(content, options.signal, async () => {
      const { results } = this.#services;
      if (results === undefined) throw cannotWrite();
      // Other runs may have the same name: within a run it is taken once.
      const kept = await this.#findOwn(name, options.signal);
      if (kept !== undefined && options.replace !== true) throw existsAlready(name, this.place);
      const artifact = artifactName(`${this.#prefix}${name}`);
      if (kept !== undefined) await results.delete(artifact, options.signal);
      return this.#upload(results, { name, artifact }, content, options);
    });
  }

  async #upload(
    results: Results,
    { name, artifact }: { readonly name: string; readonly artifact: string },
    content: Readable | Buffer,
    { signal, onProgress }: WriteOptions,
  ): Promise<Written> {
    const url = await results.create(artifact, this.#settings.retentionDays, signal);
    if (url === undefined) throw existsAlready(name, this.place);
    const [whole, packed] = [createHash("sha256"), createHash("sha256")];
    const sizes = { content: 0, zip: 0 };
    const source = Buffer.isBuffer(content) ? Readable.from([content]) : content;
    const counted = tapped(source, (piece) => {
      whole.update(piece);
      sizes.content += piece.length;
      onProgress?.(sizes.content);
    });
    const zip = tapped(zipped(memberOf(name), counted), (piece) => {
      packed.update(piece);
      sizes.zip += piece.length;
    });
    let count = 0;
    const temporary = this.#world.environment.RUNNER_TEMP || tmpdir();
    const parts = partsOf(zip, { equal: false, temporary, wantsMd5: () => true });
    const { aftermath } = this.#world;
    try {
      const work = async (part: Part, either: AbortSignal) => {
        count = Math.max(count, part.index + 1);
        await this.#blobs.putBlock(url, part, either).finally(() => part.close());
      };
      await inFlight(parts, AT_ONCE, work, signal);
      await this.#blobs.putList(url, count, bodyOf, signal);
      const sum = packed.digest("hex");
      await results.finalize(artifact, sizes.zip, sum, signal);
      await this.#prove(results, { name, artifact }, { bytes: sizes.zip, sum }, signal);
    } catch (error) {
      // What was begun and not finalized is seen by nobody; its name would stay taken.
      await results.delete(artifact, signal.aborted ? aftermath : signal).catch(() => {});
      throw error;
    }
    return { bytes: sizes.content, sha256: whole.digest("hex") };
  }

  /** Holds the service's own word against what was sent. */
  async #prove(
    results: Results,
    { name, artifact }: { readonly name: string; readonly artifact: string },
    { bytes, sum }: { readonly bytes: number; readonly sum: string },
    signal: AbortSignal,
  ): Promise<void> {
    const found = (await results.list(artifact, signal)).find(({ name: it }) => it === artifact);
    const wrong =
      found === undefined
        ? "it is not there after it was written"
        : found.bytes !== bytes
          ? `${bytes} bytes were sent, and it holds ${found.bytes}`
          : found.sha256 !== undefined && found.sha256 !== sum
            ? `its SHA-256 is ${found.sha256}, and ${sum} was sent`
            : undefined;
    if (wrong === undefined) return;
    throw notAsStored(name, this.place, wrong);
  }

  async read(
    name: string,
    { signal, from = 0, to }: { signal: AbortSignal; from?: number; to?: number },
  ): Promise<Readable> {
    const kept = await this.#find(name, signal);
    if (kept === undefined) throw notThere(name, this.place);
    const member = memberOf(name);
    const bytes = contentBytes(member, kept.zipBytes);
    if (bytes === undefined) throw notAsStored(name, this.place, "it is no artifact of ours");
    const end = Math.min(to ?? bytes, bytes);
    const isWhole = from === 0 && end === bytes;
    if (!isWhole && from >= end) return Readable.from([]);
    const span = isWhole
      ? { from: 0, to: zippedBytes(member, bytes), skip: 0 }
      : spanIn(member, bytes, from, end);
    const first = await this.#get(kept, name, span.from, span.to, signal);
    const zip = resumed({
      ...{ name, place: this.place, first: first.stream, from: span.from, end: span.to, signal },
      reopen: async (at) => (await this.#get(kept, name, at, span.to, signal)).stream,
      world: this.#world,
    });
    const content = isWhole
      ? unzipped(member, bytes, summed(zip, kept.sha256))
      : unpacked(zip, { skip: span.skip, wanted: end - from });
    const stream = Readable.from(explained(content, name, this.place), { objectMode: false });
    return stream.once("close", () => first.cancel?.());
  }

  async #get(kept: Kept, name: string, from: number, to: number, signal: AbortSignal) {
    const { results, github, repository } = this.#services;
    const url =
      kept.id === undefined
        ? await results?.addressOf(kept.artifact, signal)
        : await github?.locate(
            `/repos/${repository}/actions/artifacts/${kept.id}/zip`,
            READ,
            signal,
          );
    if (url === undefined) throw notThere(name, this.place);
    return this.#blobs.get(url, from, to, signal);
  }

  async remove(names: readonly string[], signal: AbortSignal): Promise<readonly Refused[]> {
    const { results, github, repository } = this.#services;
    const refused: Refused[] = [];
    for (const name of names) {
      try {
        const kept = await this.#find(name, signal);
        if (kept === undefined) continue;
        if (kept.id === undefined) await results?.delete(kept.artifact, signal);
        else {
          await github?.delete(`/repos/${repository}/actions/artifacts/${kept.id}`, WRITE, signal);
        }
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof UserError)) throw error;
        refused.push({ name, reason: error.cause.replace(/\.$/, "") });
      }
    }
    return refused;
  }
}

function* keptOf(artifact: ApiArtifact): Generator<Kept> {
  if (artifact.expired) return;
  yield {
    artifact: artifact.name,
    zipBytes: artifact.size_in_bytes,
    created: Date.parse(artifact.created_at ?? "") || 0,
    sha256: /^sha256:([0-9a-f]{64})$/.exec(artifact.digest ?? "")?.[1],
    id: `${artifact.id}`,
  };
}

/** What the file in the artifact is called: the last part of the name. */
function memberOf(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

async function* tapped(
  source: AsyncIterable<Buffer | string>,
  tap: (piece: Buffer) => void,
): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    const piece = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
    tap(piece);
    yield piece;
  }
}

/** Holds a whole file against the sum that the service knows of it. */
async function* summed(
  zip: AsyncIterable<Buffer>,
  sha256: string | undefined,
): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  for await (const piece of zip) {
    hash.update(piece);
    yield piece;
  }
  const sum = hash.digest("hex");
  if (sha256 === undefined || sum === sha256) return;
  throw new FormatError(`its SHA-256 is ${sha256} there, and what was read has ${sum}`);
}

async function* explained(
  content: AsyncIterable<Buffer>,
  name: string,
  place: string,
): AsyncGenerator<Buffer> {
  try {
    yield* content;
  } catch (error) {
    throw error instanceof FormatError ? notAsStored(name, place, error.message) : error;
  }
}

function cannotWrite(): UserError {
  return new UserError({
    title: "No artifact can be written here",
    cause:
      "ACTIONS_RESULTS_URL and ACTIONS_RUNTIME_TOKEN are not set: this is no job that keeps artifacts.",
    remedy: "Run this as an action on GitHub, or keep backups in a bucket or a folder.",
  });
}
