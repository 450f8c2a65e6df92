import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Step } from "./step.ts";

/** The failure of a step as its log shows it: the annotation's title, and its words below. */
export function failureOf({ commands }: Pick<Step, "commands">): string {
  const error = commands.find(({ name }) => name === "error");
  if (error === undefined) throw new Error("the step told no failure");
  return `Error: ${error.properties.title}\n${error.message}`;
}

const FOLDER = join(import.meta.dirname, "../snapshots");

/** What differs from run to run and says nothing, with what stands for it. */
const VARYING: readonly (readonly [RegExp, string])[] = [
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters.
  [/\u001b\[[0-9;]*m/g, ""],
  [/\b\d{1,3}(?:\.\d{1,3}){3}:\d+\/testbed\//g, "registry.example.com/shop/"],
  [/https:\/\/\d{1,3}(?:\.\d{1,3}){3}:\d+/g, "https://10.0.0.1:6443"],
  [/\b\d{1,3}(?:\.\d{1,3}){3}:\d+\b/g, "registry.example.com"],
  [/\b10\.\d{1,3}\.\d{1,3}\.\d{1,3}\b/g, "10.0.0.1"],
  // The hashes in the names of ReplicaSets and pods use no vowels.
  [/-[bcdfghjklmnpqrstvwxz2456789]{7,10}-[bcdfghjklmnpqrstvwxz2456789]{5}\b/g, "-7c9d8b6f5-x2vbn"],
  [/sha256:[0-9a-f]{64}/g, `sha256:${"0123456789abcdef".repeat(4)}`],
  [/\b\d+\.\d+ s\b/g, "1.9 s"],
  [/\b\d+ ms\b/g, "12 ms"],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "2026-01-01T12:00:00Z"],
  [/\d\d:\d\d:\d\d/g, "12:00:00"],
];

/**
 * A text without what differs from run to run: hashes of pods, addresses, digests, times.
 *
 * @param names of this run, with what they are to be called: `{ "shop-3fa9c1": "shop" }`.
 */
export function settled(text: string, names: Readonly<Record<string, string>> = {}): string {
  const named = Object.entries(names).reduce(
    (words, [name, stable]) => words.replaceAll(name, stable),
    text,
  );
  const words = VARYING.reduce((left, [pattern, stable]) => left.replace(pattern, stable), named);
  return `${words.replace(/[ \t]+$/gm, "").trim()}\n`;
}

/** The text that documentation quotes of an action: its failure as a test saw it. */
export function snapshotOf(action: string): string {
  const file = fileOf(action);
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

/**
 * Compares what an action said with what its README quotes, both settled; with
 * SEAWORTHY_UPDATE_SNAPSHOTS set, writes it down instead. A contract test holds that the README
 * has the words of the snapshot.
 *
 * @returns both texts, to be expected equal: `expect(said).toBe(kept)`.
 */
export function snapshot(
  action: string,
  text: string,
  names: Readonly<Record<string, string>> = {},
): { readonly said: string; readonly kept: string } {
  const said = settled(text, names);
  if (process.env.SEAWORTHY_UPDATE_SNAPSHOTS) {
    mkdirSync(dirname(fileOf(action)), { recursive: true });
    writeFileSync(fileOf(action), said);
  }
  return { said, kept: snapshotOf(action) };
}

function fileOf(action: string): string {
  return join(FOLDER, `${action}.txt`);
}
