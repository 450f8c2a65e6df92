import { nearestName } from "../failure/index.ts";
import { hclBlocks } from "./hcl-blocks.ts";
import type { ReadFile } from "./place.ts";
import type { Refusal } from "./target.ts";

// Source: the reference of bake files, docs.docker.com/build/bake/reference.
const BLOCKS = ["target", "group", "variable", "function"];
const ATTRIBUTES = [
  ...["annotations", "args", "attest", "cache-from", "cache-to", "call", "context", "contexts"],
  ...["description", "dockerfile", "dockerfile-inline", "entitlements", "extra-hosts", "inherits"],
  ...["labels", "matrix", "name", "network", "no-cache", "no-cache-filter", "output", "platforms"],
  ...["policy", "pull", "resources", "secret", "shm-size", "ssh", "tags", "target", "ulimits"],
];

/** What a file says and buildx passes over without a word, for it knows no such name. */
export interface UnknownKeys {
  /** By target: names that resemble one that was meant. */
  readonly refusals: ReadonlyMap<string, readonly Refusal[]>;
  /** Of names that resemble none. */
  readonly notes: readonly string[];
}

/** Looks for misspelt names in a bake file, HCL or JSON, that buildx could read. */
export function unknownKeys({ shown, text }: ReadFile): UnknownKeys {
  const refusals = new Map<string, Refusal[]>();
  const notes: string[] = [];
  for (const { type, labels, line, keys } of /\.json$/i.test(shown)
    ? ofJson(text)
    : hclBlocks(text)) {
    if (!BLOCKS.includes(type)) {
      const near = nearestName(type, BLOCKS);
      const meant = near === undefined ? "" : `; did you mean ${near}?`;
      notes.push(`${shown}:${line}: buildx passes over ${JSON.stringify(type)}${meant}`);
    }
    if (type !== "target") continue;
    const target = labels[0] ?? "";
    for (const key of keys.filter(({ name }) => !ATTRIBUTES.includes(name))) {
      const near = nearestName(key.name, ATTRIBUTES);
      const place = `${shown}:${key.line}`;
      if (near === undefined) {
        notes.push(`${place}: buildx passes over ${JSON.stringify(key.name)} of ${target}`);
        continue;
      }
      const problem = `there is no such attribute (${place}), and buildx passes over it; did you mean ${near}?`;
      const forOthers = target.startsWith("_") || keys.some(({ name }) => name === "matrix");
      const refusal = { key: key.name, problem, ...(forOthers ? { forOthers } : {}) };
      refusals.set(target, [...(refusals.get(target) ?? []), refusal]);
    }
  }
  return { refusals, notes };
}

/** The same from JSON, whose lines are those of the names' first use. */
function ofJson(text: string): ReturnType<typeof hclBlocks> {
  const lineOf = (name: string) =>
    text.split("\n").findIndex((line) => line.includes(JSON.stringify(name))) + 1;
  const whole = entriesOf(parsed(text));
  return whole.flatMap(([type, named]) => {
    const blocks = type === "target" ? entriesOf(named) : [[type, {}] as const];
    return blocks.map(([label, body]) => ({
      type,
      labels: [label],
      line: lineOf(type),
      keys: entriesOf(body).map(([name]) => ({ name, line: lineOf(name) })),
    }));
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // buildx forgives what JSON does not, and has said what it does not forgive.
    return undefined;
  }
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  const isMapping = typeof value === "object" && value !== null && !Array.isArray(value);
  return isMapping ? Object.entries(value) : [];
}
