import { createHash } from "node:crypto";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { KubernetesObject, ObjectRef } from "../kubernetes/index.ts";
import type { WorkloadChange } from "../workload-images/index.ts";
import type { DesiredObject } from "./desired.ts";

/** An image that a revision was to run. */
export interface AppliedImage {
  readonly service: string;
  readonly repository: string;
  readonly tag?: string | undefined;
  readonly digest: string;
}

/** What a revision's record holds beside its head: all that is needed to have it again. */
export interface RevisionContent {
  readonly objects: readonly DesiredObject[];
  /** Changes of live workloads that no manifest of the set describes. */
  readonly changes: readonly WorkloadChange[];
  /** Such changes of earlier revisions that came to nothing, oldest first: to be taken back too. */
  readonly earlier: readonly WorkloadChange[];
  readonly images: readonly AppliedImage[];
  /**
   * Objects as they were before, where the last good revision does not say it: they had existed
   * already when the set took them in.
   */
  readonly before: readonly KubernetesObject[];
  /** Made by an earlier revision that came to nothing, and part of no good one. */
  readonly strays: readonly ObjectRef[];
}

/**
 * What a Secret may hold is 1 MiB in all; a part stays well below, for an API server may have
 * been told to accept smaller requests than usual (base64 adds a third).
 */
const PART_BYTES = 900 * 1024;
/** Above this size the best compression takes seconds. */
const LARGE_BYTES = 1024 * 1024;

/** A revision's content as bytes, as few as possible, cut into parts that a Secret can hold. */
export interface PackedContent {
  readonly parts: readonly Buffer[];
  /** SHA-256 of all parts together. */
  readonly sha256: string;
}

export function pack(content: RevisionContent): PackedContent {
  const text = Buffer.from(JSON.stringify(content));
  const level = text.length > LARGE_BYTES ? 12 : 19;
  const bytes = zstdCompressSync(text, { params: { [constants.ZSTD_c_compressionLevel]: level } });
  const parts: Buffer[] = [];
  for (let from = 0; from < bytes.length; from += PART_BYTES) {
    parts.push(bytes.subarray(from, from + PART_BYTES));
  }
  return { parts, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/**
 * @throws {Error} when parts are missing or are not what was written.
 */
export function unpack({ parts, sha256 }: PackedContent): RevisionContent {
  const bytes = Buffer.concat(parts);
  if (createHash("sha256").update(bytes).digest("hex") !== sha256) {
    throw new Error("its parts are not what was written");
  }
  return JSON.parse(zstdDecompressSync(bytes).toString()) as RevisionContent;
}
