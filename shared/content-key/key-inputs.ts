/**
 * What a content key was made of: names of the parts, with a digest or a text for each. It is kept
 * with the image, so that a later run can say what changed. It holds no value of a build argument.
 */
export type KeyInputs = Readonly<Record<string, string>>;

/** Registries and their tools cut longer labels, or show them badly. */
const LONGEST = 4_000;
const DIGITS = 12;
/** What is left out first where not all has room: it makes reasons less precise, and no more. */
const DISPENSABLE = ["part ", "label ", "setting ", "argument ", "secret "];

/** As a text for a label, of less than 4 KB. Parts for which there is no room are left out. */
export function encodeInputs(inputs: KeyInputs): string {
  let entries = Object.entries(inputs).map(([name, value]) => [name, shortened(value)] as const);
  for (const prefix of DISPENSABLE) {
    const text = JSON.stringify(Object.fromEntries(entries));
    if (Buffer.byteLength(text) < LONGEST) return text;
    entries = entries.filter(([name]) => !name.startsWith(prefix));
    entries.push([`${prefix.trim()}s left out`, "true"]);
  }
  const text = JSON.stringify(Object.fromEntries(entries));
  return Buffer.byteLength(text) < LONGEST ? text : "{}";
}

/** Digests of files need not be whole to be compared; those of images are shown to people. */
function shortened(value: string): string {
  return /^[0-9a-f]{64}$/.test(value) ? value.slice(0, DIGITS) : value;
}

/** What a label says; undefined when it is none of ours. */
export function decodeInputs(text: string | undefined): KeyInputs | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    const entries = Object.entries(value).filter(([, each]) => typeof each === "string");
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  } catch {
    return undefined;
  }
}
