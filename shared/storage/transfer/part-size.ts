const MIB = 1024 * 1024;

/** Small enough that four of them are little memory, large enough that requests are few. */
export const FIRST_PART_BYTES = 8 * MIB;
/** S3 takes this many parts of one object. Source: Amazon S3, "Multipart upload limits". */
export const MOST_PARTS = 10_000;
/** From here on parts grow by a thousandth of what was sent: 5 TiB end at part 9,900. */
const EVEN_PARTS = 5_000;
/** S3 takes 5 GiB, and Azure, behind artifacts, somewhat less. */
const LARGEST_PART_BYTES = 4_000 * MIB;
const EQUAL_PART_BYTES = 64 * MIB;

/**
 * How large the next part is to be. The size depends on nothing but its place, so that a reader can
 * find the same parts again.
 *
 * @param index counted from 0.
 * @param before bytes in all parts before.
 */
export function partSize(index: number, before: number, equal: boolean): number {
  if (equal) return EQUAL_PART_BYTES;
  if (index < EVEN_PARTS) return FIRST_PART_BYTES;
  return Math.min(Math.ceil(before / 1_000 / MIB) * MIB, LARGEST_PART_BYTES);
}

/** Written into the object's metadata, so that its parts can be found again. */
export function planName(equal: boolean): string {
  return equal ? "equal-1" : "growing-1";
}

/** Whether parts were equal, from what {@link planName} wrote; undefined where others wrote it. */
export function planOf(name: string | undefined): boolean | undefined {
  if (name === "equal-1") return true;
  return name === "growing-1" ? false : undefined;
}
