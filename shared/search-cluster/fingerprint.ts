import type { ContentSums, WrittenSums } from "./content.ts";
import { readSums } from "./content.ts";
import type { Product } from "./settings.ts";

/** What was in the indices when the snapshot was taken; the proof beside it. */
export interface SearchFingerprint {
  readonly schema: 1;
  readonly product: Product;
  readonly version: string;
  readonly cluster: { readonly name: string; readonly uuid: string };
  readonly repository: { readonly name: string; readonly type: string };
  readonly snapshot: { readonly name: string; readonly uuid: string; readonly bytes: number };
  readonly indices: readonly IndexFingerprint[];
  readonly dataStreams: readonly { readonly name: string; readonly indices: readonly string[] }[];
  /** Names of templates at the time; undefined where nobody was allowed to look. */
  readonly templates: readonly string[] | undefined;
  readonly globalState: boolean;
}

export interface IndexFingerprint {
  readonly name: string;
  readonly uuid: string;
  readonly shards: number;
  readonly bytes: number;
  readonly documents: number;
  /** Before the snapshot. Undefined where the index keeps no sources to read. */
  readonly content: WrittenSums | undefined;
  /** After it, where the index was written to meanwhile. */
  readonly later: WrittenSums | undefined;
  /** Changes of documents between both. */
  readonly operations: number;
  readonly mappings: unknown;
  /** Those that a restore gives back, flat. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly aliases: Readonly<Record<string, unknown>>;
  /** Settings of where it was and what was done with it; not in backups of earlier versions. */
  readonly arrangement?: Readonly<Record<string, unknown>>;
}

/** Sums before and after the snapshot; the same where nothing was written. */
export interface ExpectedContent {
  readonly before: ContentSums;
  readonly after: ContentSums;
  readonly operations: number;
}

/**
 * A fingerprint as it was read.
 *
 * @throws {Error} where it is none: who made the backup made it so, or it was tampered with.
 */
export function searchFingerprint(value: unknown): SearchFingerprint {
  const given = value as Partial<SearchFingerprint> | undefined;
  if (given?.schema !== 1 || !Array.isArray(given.indices) || given.snapshot === undefined) {
    throw new Error("this is no fingerprint of a snapshot");
  }
  return given as SearchFingerprint;
}

/** The sums of an index; undefined where it has none. */
export function expectedContent(index: IndexFingerprint): ExpectedContent | undefined {
  if (index.content === undefined) return undefined;
  const before = readSums(index.content);
  const after = index.later === undefined ? before : readSums(index.later);
  if (before === undefined || after === undefined) {
    throw new Error(`the fingerprint's sums of index ${index.name} are broken`);
  }
  return { before, after, operations: index.operations };
}
