import { UserError } from "../failure/index.ts";
import type { IndexFingerprint, SearchFingerprint } from "./fingerprint.ts";
import { matches } from "./indices.ts";

/** What of a backup is restored. */
export interface SearchPlan {
  /** Indices by themselves. */
  readonly indices: readonly IndexFingerprint[];
  /** Data streams, each with all of its indices. */
  readonly streams: readonly StreamPlan[];
}

export interface StreamPlan {
  readonly name: string;
  readonly indices: readonly IndexFingerprint[];
}

/**
 * The indices and data streams of a backup that the patterns mean; one that begins with `-` leaves
 * out, and none means all.
 *
 * @throws {UserError} where a pattern means nothing, or a part of a data stream.
 */
export function planSearchRestore(
  { indices, dataStreams }: Pick<SearchFingerprint, "indices" | "dataStreams">,
  patterns: readonly string[],
): SearchPlan {
  const inStreams = new Set(dataStreams.flatMap((stream) => stream.indices));
  const names = [
    ...indices.map(({ name }) => name).filter((name) => !inStreams.has(name)),
    ...dataStreams.map(({ name }) => name),
  ];
  const wanted = patterns.filter((pattern) => !pattern.startsWith("-"));
  const unwanted = patterns.filter((pattern) => pattern.startsWith("-")).map((one) => one.slice(1));
  for (const pattern of [...wanted, ...unwanted]) {
    if (!names.some((name) => matches(pattern, name)))
      throw meansNothing(pattern, names, inStreams);
  }
  const chosen = names.filter(
    (name) =>
      (wanted.length === 0 || wanted.some((pattern) => matches(pattern, name))) &&
      !unwanted.some((pattern) => matches(pattern, name)),
  );
  if (chosen.length === 0) throw meansNothing(patterns.join(" "), names, inStreams);
  const is = new Set(chosen);
  return {
    indices: indices.filter(({ name }) => is.has(name) && !inStreams.has(name)),
    streams: dataStreams
      .filter(({ name }) => is.has(name))
      .map(({ name, indices: own }) => {
        return { name, indices: indices.filter((index) => own.includes(index.name)) };
      }),
  };
}

function meansNothing(
  pattern: string,
  names: readonly string[],
  inStreams: ReadonlySet<string>,
): UserError {
  const isPart = [...inStreams].some((name) => matches(pattern, name));
  return new UserError({
    title: `The backup has no index ${pattern}`,
    cause: isPart
      ? `${pattern} is a part of a data stream, which is restored whole or not at all.`
      : `It has ${names.slice(0, 20).join(", ")}${names.length > 20 ? ` and ${names.length - 20} more` : ""}.`,
    remedy: "Name those that are to be restored in indices, or none for all. Nothing was changed.",
  });
}

/** All indices of a plan. */
export function indicesOf({ indices, streams }: SearchPlan): IndexFingerprint[] {
  return [...indices, ...streams.flatMap((stream) => stream.indices)];
}
