/** How much a file may become before it counts as a trap rather than a dump. */
export interface Limits {
  /** Plain bytes that one file may unpack to. */
  readonly plainBytes: number;
  /** Plain bytes per stored byte, once `ratioFrom` plain bytes have come. */
  readonly ratio: number;
  readonly ratioFrom: number;
  /** Members of one compressed file, entries of a table of contents, members of an archive. */
  readonly members: number;
}

export const DEFAULT_LIMITS: Limits = {
  plainBytes: 16 * 1024 ** 4,
  ratio: 250,
  ratioFrom: 256 * 1024 ** 2,
  members: 5_000_000,
};
