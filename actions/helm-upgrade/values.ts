import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { load } from "js-yaml";
import { describe, FormatError, UserError } from "../../shared/failure/index.ts";
import {
  type ChartRef,
  type Helm,
  imageValues,
  type PlacedImage,
  type PrivateFolder,
  parseValuePath,
  readValuesFiles,
  type ValueStep,
  type ValuesSource,
  type ValuesTree,
  valuesAt,
} from "../../shared/helm/index.ts";
import type { Options } from "./inputs.ts";

/** Values on their way to Helm. */
export interface WrittenValues {
  /** Paths of files, those that count most last. */
  readonly values: readonly string[];
  readonly placed: readonly PlacedImage[];
}

/**
 * Writes all values into files that nobody else can read: the user's own files and input as they
 * are, then texts at paths, then the images.
 *
 * @throws {UserError} when something cannot be read, or an image has no place.
 */
export async function writeValues(
  options: Options,
  folder: PrivateFolder,
  chart: ChartRef,
  helm: Helm,
  signal: AbortSignal,
): Promise<WrittenValues> {
  const images = options.images ?? {};
  const placing =
    Object.keys(images).length === 0 && options.imageValues === undefined
      ? { values: {}, placed: [] }
      : imageValues(images, await chartValues(chart, helm, signal), options.imageValues);
  const given: readonly ValuesSource[] = [
    ...(await readValuesFiles(options.valuesFiles)),
    ...(options.values === undefined ? [] : [{ title: "the input values", text: options.values }]),
  ];
  const texts = await textsAt(options, given);
  const sources = [
    ...given,
    ...(texts === undefined ? [] : [{ title: "set-string and set-file", text: texts }]),
    ...(placing.placed.length === 0
      ? []
      : [{ title: "the images' values", text: JSON.stringify(placing.values) }]),
  ];
  const values = await Promise.all(
    sources.map((source, index) => folder.write(`values-${index}.yaml`, source)),
  );
  return { values, placed: placing.placed };
}

/** The inputs set-string and set-file as a values file, which JSON is too. */
async function textsAt(
  { setString = {}, setFile = {} }: Options,
  given: readonly ValuesSource[],
): Promise<string | undefined> {
  const files = await readValuesFiles(Object.values(setFile));
  const entries: (readonly [string, string])[] = [
    ...Object.entries(setString),
    ...Object.keys(setFile).map((path, index) => [path, files[index]?.text ?? ""] as const),
  ];
  if (entries.length === 0) return undefined;
  try {
    const paths = entries.map(([path, text]): readonly [readonly ValueStep[], string] => [
      parseValuePath(path),
      text,
    ]);
    const intoLists = paths.some(([path]) => path.some((step) => typeof step === "number"));
    return JSON.stringify(valuesAt(paths, intoLists ? together(given) : {}));
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new UserError({
      title: "set-string or set-file names no place in the values",
      cause: `${error.message}.`,
      remedy:
        "Write paths as Helm's --set does: a.b, list[0].name, and a\\.b for a key with a point in it; nothing was changed.",
    });
  }
}

/** What the user's own files and input make, as Helm puts them together. */
function together(sources: readonly ValuesSource[]): ValuesTree {
  return sources.reduce<ValuesTree>((all, { text }) => {
    try {
      return merged(all, load(text, { json: true }));
    } catch {
      // Helm reads it too, and says what is wrong with it.
      return all;
    }
  }, {});
}

function merged(under: ValuesTree, over: unknown): ValuesTree {
  if (!isTree(over)) return under;
  const both = Object.entries(over).map(([key, value]) => {
    const below = under[key];
    return [key, isTree(below) && isTree(value) ? merged(below, value) : value];
  });
  return { ...under, ...Object.fromEntries(both) };
}

function isTree(value: unknown): value is ValuesTree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The values that a chart comes with; those of a folder are read without Helm's help. */
async function chartValues(chart: ChartRef, helm: Helm, signal: AbortSignal): Promise<ValuesTree> {
  const isFolder = await stat(chart.location).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const text = isFolder
    ? await readFile(join(chart.location, "values.yaml"), "utf8").catch(() => "")
    : await helm.showValues(chart, signal);
  try {
    const values = load(text, { json: true });
    return isTree(values) ? values : {};
  } catch (error) {
    throw new UserError({
      title: "The chart's values.yaml cannot be read",
      cause: `${chart.location}: ${describe(error).split("\n")[0]}.`,
      remedy: "Correct the file; nothing was changed.",
    });
  }
}
