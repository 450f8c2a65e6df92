import type { Readable } from "node:stream";
import { describe, UserError } from "../failure/index.ts";
import { secretLooking } from "../secrets/index.ts";
import { type SearchedLayer, searchLayer } from "./layer-search.ts";
import { Matcher } from "./matcher.ts";
import { type Needle, needlesOf, type Unsearched } from "./needles.ts";
import { parsed, searchPaper, textsIn } from "./papers.ts";
import type { Secret } from "./search-words.ts";
import { contentsOf, instructionsOf } from "./stored-papers.ts";
import {
  argumentIn,
  isProvenance,
  placeInConfig,
  placeInManifest,
  placeInStatement,
  shown,
  statementName,
} from "./where.ts";

/** What the search needs of a registry. */
export interface ImageSource {
  manifest(
    path: string,
    reference: string,
    signal: AbortSignal,
  ): Promise<{ readonly text: string } | undefined>;
  openBlob(path: string, digest: string, signal: AbortSignal): Promise<Readable | undefined>;
}

/** A secret that an image gives away. */
export interface Leak {
  /** Its name; of what only looks like a secret, what it is. */
  readonly secret: string;
  /** How it is spelt there; why it looks like a secret. */
  readonly how: string;
  /** As a phrase: "/app/.npmrc in layer sha256:..., made by RUN npm ci". */
  readonly where: string;
  /** The digest of the layer that holds it, when it is one. */
  readonly layer?: string | undefined;
}

/** What came of searching one image. */
export interface LeakReport {
  readonly leaks: readonly Leak[];
  /** What was not searched, or not whole, as sentences. */
  readonly notes: readonly string[];
  /** Layers that were searched, and those of base images that were not. */
  readonly layers: number;
  readonly skipped: number;
  /** Bytes of the layers, unpacked. */
  readonly bytes: number;
}

export interface LeakSettings {
  readonly secrets: readonly Secret[];
  /** Names of build arguments that look like secrets and may be known to anybody. */
  readonly publicArguments?: readonly string[];
}

/** Layers searched at the same time: unpacking takes a processor each. */
const AT_ONCE = 4;
/** Of a digest, as docker shows it. */
const SHORT_DIGEST = "sha256:".length + 12;
const LARGEST_PAPER = 16 * 1_024 * 1_024;

/**
 * Searches images for the values of secrets: their configuration, history, annotations, statements
 * (provenance, bill of materials) and all layers. A layer that several images share is searched
 * once.
 */
export class LeakSearch {
  /** Secrets that no image is searched for. */
  readonly unsearched: readonly Unsearched[];
  readonly #needles: readonly Needle[];
  readonly #matcher: Matcher;
  readonly #settings: LeakSettings;
  readonly #layers = new Map<string, Promise<SearchedLayer>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(settings: LeakSettings) {
    const { needles, unsearched } = needlesOf(settings.secrets);
    this.#settings = settings;
    this.#needles = needles;
    this.unsearched = unsearched;
    this.#matcher = new Matcher(needles.map(({ bytes }) => bytes));
  }

  /**
   * Searches one image, all its platforms.
   *
   * @param path of the repository.
   * @param digest of the image, or of the index of its platforms.
   * @param baseLayers digests of layers that are not searched, since they are those of base images.
   * @throws {UserError} when the registry cannot be asked, or a layer cannot be unpacked.
   */
  async search(
    path: string,
    digest: string,
    registry: ImageSource,
    signal: AbortSignal,
    baseLayers: ReadonlySet<string> = new Set(),
  ): Promise<LeakReport> {
    const found = new Findings(this.#needles);
    await this.#manifest({ path, registry, signal, baseLayers, found }, digest);
    return found.report();
  }

  async #manifest(search: Search, digest: string): Promise<void> {
    const { path, registry, signal, found } = search;
    const stored = await registry.manifest(path, digest, signal);
    if (stored === undefined) throw gone(path, digest, "manifest");
    for (const hit of searchPaper(stored.text, this.#matcher)) {
      found.add(hit.needle, placeInManifest(hit.path, this.#matcher));
    }
    this.#addresses(search, stored.text, (at) => placeInManifest(at, this.#matcher), "annotations");
    const contents = contentsOf(stored.text);
    const config = contents.config === undefined ? "" : await text(search, contents.config);
    if (contents.layers.length > 0) this.#config(search, config);
    const instructions = instructionsOf(config, contents.layers.length);
    await Promise.all([
      ...contents.manifests.map((each) => this.#manifest(search, each.digest)),
      ...contents.statements.map((each) => this.#statement(search, each)),
      ...contents.layers.map((each, index) => this.#layer(search, each, instructions[index])),
    ]);
  }

  #config({ found, ...search }: Search, config: string): void {
    for (const { needle, path } of searchPaper(config, this.#matcher)) {
      found.add(needle, placeInConfig(path, config, this.#matcher));
    }
    const place = (at: readonly (string | number)[]) => placeInConfig(at, config, this.#matcher);
    this.#addresses({ ...search, found }, config, place, "Labels");
  }

  async #statement(
    search: Search,
    { digest, predicate }: { readonly digest: string; readonly predicate: string },
  ): Promise<void> {
    const statement = await text(search, digest);
    for (const { needle, path } of searchPaper(statement, this.#matcher)) {
      search.found.add(needle, placeInStatement(predicate, path, this.#matcher));
    }
    if (!isProvenance(predicate)) return;
    const place = (at: readonly (string | number)[]) =>
      placeInStatement(predicate, at, this.#matcher);
    this.#addresses(search, statement, place);
    for (const { path, text: value } of textsIn(parsed(statement), [])) {
      const argument = argumentIn(path);
      if (argument === undefined || value === path.at(-1)) continue;
      if (this.#settings.publicArguments?.includes(argument)) continue;
      const why = secretLooking(argument, value, () => false);
      if (why === undefined) continue;
      const name = `the build argument ${shown(argument, this.#matcher)}`;
      search.found.suspect(name, why, statementName(predicate));
    }
  }

  /** Addresses with a password in them, such as that of a git repository. */
  #addresses(
    { found }: Search,
    paper: string,
    place: (path: readonly (string | number)[]) => string,
    below?: string,
  ): void {
    for (const { path, text: value } of textsIn(parsed(paper), [])) {
      if (below !== undefined && !path.includes(below)) continue;
      if (hasPassword(value)) found.suspect("an address", "it has a password in it", place(path));
    }
  }

  async #layer(
    search: Search,
    { digest, elsewhere }: { readonly digest: string; readonly elsewhere: boolean },
    instruction: string | undefined,
  ): Promise<void> {
    const { found } = search;
    // Without anything to search for, what there is need not be fetched.
    if (this.#needles.length === 0) return;
    if (elsewhere) return found.note(`Layer ${digest} is kept elsewhere and was not searched.`);
    if (search.baseLayers.has(digest)) return found.skip(digest);
    const searched = await this.#searched(search, digest);
    found.count(digest, searched.bytes);
    for (const note of searched.notes) found.note(`Layer ${digest}: ${note}.`);
    const made = instruction === undefined ? "" : `, made by ${shown(instruction, this.#matcher)}`;
    for (const { needle, path, within, inName } of searched.hits) {
      const inner = within === undefined ? "" : ` (${shown(within, this.#matcher)} within it)`;
      const file = path === undefined ? "" : `/${shown(path.replace(/^\.?\//, ""), this.#matcher)}`;
      const name = inName ? "the name or attributes of " : "";
      const place = file === "" ? "" : `${name}${file}${inner} in `;
      found.add(needle, `${place}layer ${digest.slice(0, SHORT_DIGEST)}${made}`, digest);
    }
  }

  /** Once for all images that have the layer. */
  #searched(search: Search, digest: string): Promise<SearchedLayer> {
    const known = this.#layers.get(digest);
    if (known !== undefined) return known;
    const searching = this.#searchInTurn(search, digest);
    this.#layers.set(digest, searching);
    // The next one who needs it tries again.
    searching.catch(() => this.#layers.delete(digest));
    return searching;
  }

  async #searchInTurn({ path, registry, signal }: Search, digest: string): Promise<SearchedLayer> {
    while (this.#running >= AT_ONCE) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
    try {
      const layer = await registry.openBlob(path, digest, signal);
      if (layer === undefined) throw gone(path, digest, "layer");
      return await searchLayer(layer, this.#matcher, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof UserError) throw error;
      throw unreadable(path, digest, error);
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }
}

interface Search {
  readonly path: string;
  readonly registry: ImageSource;
  readonly signal: AbortSignal;
  readonly baseLayers: ReadonlySet<string>;
  readonly found: Findings;
}

async function text({ path, registry, signal }: Search, digest: string): Promise<string> {
  const stream = await registry.openBlob(path, digest, signal);
  if (stream === undefined) throw gone(path, digest, "blob");
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of stream as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > LARGEST_PAPER) throw unreadable(path, digest, "it is larger than 16 MiB");
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

const ADDRESS = /\b[a-z][a-z0-9+.-]*:\/\/([^\s/@:"'<>]*):([^\s/@"'<>]+)@/gi;
/** As BuildKit and others write what they have left out, and names of variables. */
const LEFT_OUT = /^(?:x{3,}|\*+|\$.*|%\w+%|<.*|\{\{.*)$/i;

function hasPassword(value: string): boolean {
  return [...value.matchAll(ADDRESS)].some(([, , password = ""]) => !LEFT_OUT.test(password));
}

class Findings {
  readonly #needles: readonly Needle[];
  readonly #leaks = new Map<string, Leak>();
  readonly #notes = new Set<string>();
  readonly #sizes = new Map<string, number>();
  readonly #skipped = new Set<string>();

  constructor(needles: readonly Needle[]) {
    this.#needles = needles;
  }

  add(needle: number, where: string, layer?: string): void {
    const { secret = "", how = "" } = this.#needles[needle] ?? {};
    const key = JSON.stringify([secret, where]);
    // Found whole and in part, it is told of once.
    if (!this.#leaks.has(key)) this.#leaks.set(key, { secret, how, where, layer });
  }

  suspect(what: string, why: string, where: string): void {
    this.#leaks.set(JSON.stringify([what, where]), { secret: what, how: why, where });
  }

  note(sentence: string): void {
    this.#notes.add(sentence);
  }

  skip(digest: string): void {
    this.#skipped.add(digest);
  }

  count(digest: string, bytes: number): void {
    this.#sizes.set(digest, bytes);
  }

  report(): LeakReport {
    return {
      leaks: [...this.#leaks.values()],
      notes: [...this.#notes],
      skipped: this.#skipped.size,
      layers: this.#sizes.size,
      bytes: [...this.#sizes.values()].reduce((sum, bytes) => sum + bytes, 0),
    };
  }
}

function gone(path: string, digest: string, what: string): UserError {
  return new UserError({
    title: "The registry lacks what was pushed",
    cause: `${path}: the registry has no ${what} ${digest}, which was to be searched for secrets.`,
    remedy: "Look for a clean-up that runs at the same time; then run again.",
  });
}

function unreadable(path: string, digest: string, error: unknown): UserError {
  return new UserError(
    {
      title: "A layer could not be searched for secrets",
      cause: `${path}: ${digest} cannot be read: ${describe(error)}.`,
      remedy:
        "Run again. When it happens each time, the registry serves damaged content: push the image anew.",
    },
    { reason: error },
  );
}
