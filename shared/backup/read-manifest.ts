import { timeOfId } from "./identity.ts";
import type { BackupManifest, Part } from "./manifest.ts";

const KINDS = ["postgres", "redis", "opensearch", "elasticsearch", "bucket", "directory"];
const COMPRESSIONS = ["none", "gzip", "zstd"];
const ENCRYPTIONS = ["none", "age", "openssl"];
const SHA256 = /^[0-9a-f]{64}$/;

/** A manifest that cannot be relied on. */
export class BrokenManifest extends Error {
  /** @param what completes "manifest.json ...", without a full stop. */
  constructor(what: string) {
    super(`manifest.json ${what}`);
    this.name = "BrokenManifest";
  }
}

/**
 * Reads a manifest, and holds it to what every manifest keeps to.
 *
 * @throws {BrokenManifest} where it is none, contradicts itself, or has a schema that is not known.
 */
export function readManifest(text: string): BackupManifest {
  const given = recordOf(parsed(text), "");
  if (given.schema !== 1) {
    const isNewer = typeof given.schema === "number" && given.schema > 1;
    const why = isNewer ? "it was written by a newer version" : "it is no manifest of a backup";
    throw new BrokenManifest(`has a schema that is not known (${shown(given.schema)}): ${why}`);
  }
  const manifest: BackupManifest = {
    schema: 1,
    name: textOf(given.name, "name"),
    id: textOf(given.id, "id"),
    kind: oneOf(given.kind, KINDS, "kind") as BackupManifest["kind"],
    subject: textOf(given.subject, "subject"),
    taken: timeOf(given.taken, "taken"),
    began: timeOf(given.began, "began"),
    ended: timeOf(given.ended, "ended"),
    source: recordOfTexts(given.source, "source"),
    measures: recordOfNumbers(given.measures, "measures"),
    excluded: textsOf(given.excluded, "excluded"),
    notes: textsOf(given.notes, "notes"),
    parts: arrayOf(given.parts, "parts").map((part, at) => partOf(part, `parts[${at}]`)),
    fingerprint: partOf(given.fingerprint, "fingerprint"),
  };
  checkWhole(manifest);
  return manifest;
}

function parsed(text: string): unknown {
  if (text.trim() === "") throw new BrokenManifest("is empty");
  try {
    return JSON.parse(text);
  } catch {
    throw new BrokenManifest("is no JSON, or ends too early");
  }
}

function checkWhole({ id, parts, fingerprint, began, ended }: BackupManifest): void {
  if (timeOfId(id) === undefined) throw new BrokenManifest(`has an id that is none (${shown(id)})`);
  if (Date.parse(ended) < Date.parse(began)) throw new BrokenManifest("ended before it began");
  if (parts.length === 0) throw new BrokenManifest("names no parts");
  const all = [...parts, fingerprint];
  for (const field of ["name", "file"] as const) {
    const seen = new Set<string>();
    for (const part of all) {
      if (seen.has(part[field])) throw new BrokenManifest(`names ${shown(part[field])} twice`);
      seen.add(part[field]);
    }
  }
}

function partOf(value: unknown, at: string): Part {
  const given = recordOf(value, at);
  const { iterations } = given;
  return {
    name: fileOf(given.name, `${at}.name`),
    file: fileOf(given.file, `${at}.file`),
    bytes: countOf(given.bytes, `${at}.bytes`),
    sha256: sumOf(given.sha256, `${at}.sha256`),
    storedBytes: countOf(given.storedBytes, `${at}.storedBytes`),
    storedSha256: sumOf(given.storedSha256, `${at}.storedSha256`),
    compression: oneOf(given.compression, COMPRESSIONS, `${at}.compression`) as Part["compression"],
    encryption: oneOf(given.encryption, ENCRYPTIONS, `${at}.encryption`) as Part["encryption"],
    ...(iterations === undefined ? {} : { iterations: countOf(iterations, `${at}.iterations`) }),
  };
}

/**
 * A name below the backup's own folder, or the one that a restore puts the part into: whoever can
 * change a manifest is not to choose others.
 */
function fileOf(value: unknown, at: string): string {
  const file = textOf(value, at);
  const parts = file.split("/");
  if (parts.some((part) => part === "" || part === "." || part === "..") || file.includes("\\")) {
    throw new BrokenManifest(`has a file at ${at} that is outside of its folder`);
  }
  return file;
}

function recordOf(value: unknown, at: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new BrokenManifest(at === "" ? "is no JSON object" : `has no object at ${at}`);
}

function arrayOf(value: unknown, at: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw new BrokenManifest(`has no list at ${at}`);
}

function textOf(value: unknown, at: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new BrokenManifest(`has no text at ${at}`);
}

function textsOf(value: unknown, at: string): string[] {
  return arrayOf(value, at).map((each, index) => textOf(each, `${at}[${index}]`));
}

function timeOf(value: unknown, at: string): string {
  const text = textOf(value, at);
  if (Number.isNaN(Date.parse(text))) throw new BrokenManifest(`has no time at ${at}`);
  return text;
}

function countOf(value: unknown, at: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new BrokenManifest(`has no count at ${at}`);
}

function sumOf(value: unknown, at: string): string {
  if (typeof value === "string" && SHA256.test(value)) return value;
  throw new BrokenManifest(`has no SHA-256 at ${at}`);
}

function oneOf(value: unknown, known: readonly string[], at: string): string {
  if (typeof value === "string" && known.includes(value)) return value;
  throw new BrokenManifest(
    `has ${shown(value)} at ${at}, where only ${known.join(", ")} are known`,
  );
}

function recordOfTexts(value: unknown, at: string): Record<string, string> {
  const entries = Object.entries(recordOf(value, at));
  return Object.fromEntries(entries.map(([key, text]) => [key, textOf(text, `${at}.${key}`)]));
}

function recordOfNumbers(value: unknown, at: string): Record<string, number> {
  return Object.fromEntries(
    Object.entries(recordOf(value, at)).map(([key, number]) => {
      if (typeof number === "number" && Number.isFinite(number)) return [key, number];
      throw new BrokenManifest(`has no number at ${at}.${key}`);
    }),
  );
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 60);
}
