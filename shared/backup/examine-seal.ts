import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Evidence, Finding } from "../proof/index.ts";
import type { World } from "../world/index.ts";
import { BrokenPart } from "./broken-part.ts";
import { MANIFEST, SIGNATURE, VERIFICATIONS } from "./identity.ts";
import type { Part } from "./manifest.ts";
import { NotedReading } from "./noted-reading.ts";
import type { StoredBackup } from "./open-backup.ts";
import type { OpenedBackup } from "./opened.ts";
import { Progress } from "./progress.ts";
import { BrokenManifest } from "./read-manifest.ts";
import type { Verifier } from "./signature.ts";

export interface SealSettings {
  /** The key that the manifest's signature is held against. */
  readonly verifier?: Verifier | undefined;
  /**
   * Reads of the backup what it wants to, first of all: what it reads to its end is as it was
   * written, and is not read once more.
   */
  readonly read?: ((backup: OpenedBackup) => Promise<void>) | undefined;
  /**
   * Given the plain bytes of each part while they are read, so that they are read once only. It may
   * stop reading before their end; the stream fails where the part breaks.
   */
  readonly watch?: ((part: Part, content: Readable) => Promise<void>) | undefined;
}

export interface SealExamination {
  readonly findings: readonly Finding[];
  readonly unknown: readonly string[];
  readonly evidence: readonly Evidence[];
  /** Names of the parts that are not as they were written; the others are. */
  readonly broken: readonly string[];
}

const TOGETHER = 3;

/**
 * Reads every byte of a backup once and holds it against the manifest: each part's size and sums,
 * as stored and unsealed; files that are missing, swapped or too many; the signature. What is
 * encrypted and has no key here is read as it is stored.
 *
 * @throws {UserError} where a key is the wrong one, or the storage fails.
 */
export async function examineSeal(
  backup: StoredBackup,
  settings: SealSettings,
  world: World,
): Promise<SealExamination> {
  const { manifest } = backup;
  const parts = [...manifest.parts, manifest.fingerprint];
  const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  using progress = new Progress("Verified", undefined, world);
  progress.expect(total);
  const broken = new Map<string, BrokenPart>();
  const locked: Part[] = [];
  const noted = new NotedReading(backup, progress);
  await settings.read?.(noted);
  const next = parts.filter(({ name }) => !noted.sealed.has(name)).values();
  const failed = new AbortController();
  const signal = AbortSignal.any([world.signal, failed.signal]);
  const lane = async () => {
    for (const part of next) {
      progress.begin(part.name);
      const found = await readPart(backup, part, settings, progress, signal);
      progress.end(part.name);
      if (found === "locked") locked.push(part);
      else if (found !== undefined) broken.set(part.name, found);
    }
  };
  // The first that fails ends the others: none reads on when this is over.
  const lanes = Array.from({ length: TOGETHER }, () =>
    lane().catch((error) => failed.abort(error)),
  );
  await Promise.all(lanes);
  signal.throwIfAborted();
  return {
    findings: [
      ...signatureFindings(backup, settings.verifier),
      ...parts.flatMap(({ name }) => {
        const found = broken.get(name);
        return found === undefined ? [] : [withOrigin(found, parts)];
      }),
      ...(await strangers(backup, world.signal)),
    ],
    unknown: [...unknownOf(backup, settings.verifier), ...lockedWords(locked)],
    evidence: [
      evidenceOf(backup),
      ...parts.map(({ file, storedBytes, storedSha256 }) => ({
        ...{ file: `${backup.folder}${file}`, bytes: storedBytes, sha256: storedSha256 },
      })),
    ],
    broken: parts.map(({ name }) => name).filter((name) => broken.has(name)),
  };
}

async function readPart(
  backup: StoredBackup,
  part: Part,
  { watch }: SealSettings,
  progress: Progress,
  signal: AbortSignal,
): Promise<BrokenPart | "locked" | undefined> {
  try {
    if (backup.hasKeyFor(part)) {
      await readThrough(await backup.open(part.name, signal), part, watch, progress);
      return undefined;
    }
    for await (const _ of await backup.openStored(part.name, signal));
    progress.add(part.bytes);
    return "locked";
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof BrokenPart) return error;
    throw error;
  }
}

async function readThrough(
  content: Readable,
  part: Part,
  watch: SealSettings["watch"],
  progress: Progress,
): Promise<void> {
  const count = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      progress.add(chunk.length);
      yield chunk;
    }
  };
  if (watch === undefined) {
    for await (const _ of count(content));
    return;
  }
  const watched = new PassThrough({ highWaterMark: 1 << 20 });
  const copy = async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of count(chunks)) {
      if (watched.writable && !watched.write(chunk)) await drained(watched);
    }
    watched.end();
  };
  const watching = watch(part, watched).finally(() => watched.destroy());
  // Its trouble with a stream that breaks is the stream's; for any other, nothing is read in vain.
  watching.catch((error) => content.destroy(error));
  watched.on("error", () => {});
  try {
    await pipeline(content, copy);
  } catch (error) {
    watched.destroy(error as Error);
    await watching.catch(() => {});
    throw error;
  }
  await watching;
}

function drained(stream: PassThrough): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off("drain", done).off("close", done);
      resolve();
    };
    stream.on("drain", done).on("close", done);
  });
}

/** The finding for what broke, as far as it is a backup's own: anything else is not one. */
export function findingOf(error: unknown): Finding | undefined {
  if (error instanceof BrokenManifest) {
    return {
      ...{ detector: "manifest", tier: "integrity", weight: "damage", subject: MANIFEST },
      what: `${error.message}.`,
    };
  }
  if (!(error instanceof BrokenPart)) return undefined;
  const { detector, file, what, expected, found } = error;
  return { detector, tier: "integrity", weight: "damage", subject: file, what, expected, found };
}

/** Tells where a part's bytes come from, should they be another part's. */
function withOrigin(broken: BrokenPart, parts: readonly Part[]): Finding {
  const finding = findingOf(broken) as Finding;
  const origin = parts.find(
    ({ file, storedSha256 }) => file !== broken.file && broken.found?.endsWith(storedSha256),
  );
  if (origin === undefined) return finding;
  return { ...finding, what: `${broken.file} holds what belongs into ${origin.file}.` };
}

function signatureFindings(
  { signature, manifestBytes }: StoredBackup,
  verifier: Verifier | undefined,
): Finding[] {
  if (verifier === undefined) return [];
  const finding = { detector: "signature", tier: "integrity", subject: MANIFEST } as const;
  if (signature === undefined) {
    const what = "The manifest has no signature, where one by the given key was expected.";
    return [{ ...finding, weight: "damage", what, expected: SIGNATURE }];
  }
  if (verifier.verify(manifestBytes, signature)) return [];
  const what =
    "The manifest is not the one that was signed, or another key signed it: its signature does not hold.";
  return [{ ...finding, weight: "damage", what }];
}

function unknownOf({ signature }: StoredBackup, verifier: Verifier | undefined): string[] {
  if (verifier !== undefined) return [];
  if (signature !== undefined) {
    return [
      "Whether the manifest's signature holds was not checked: no key to verify with was given.",
    ];
  }
  return [
    "The manifest is not signed: whoever can write to the storage could have replaced the whole backup.",
  ];
}

function lockedWords(locked: readonly Part[]): string[] {
  if (locked.length === 0) return [];
  return [
    `Whether ${locked.length === 1 ? locked[0]?.file : `${locked.length} encrypted files`} can be decrypted was not checked, for no key was given: only what is stored was held against its checksums.`,
  ];
}

async function strangers(backup: StoredBackup, signal: AbortSignal): Promise<Finding[]> {
  const { folder, manifest, storage } = backup;
  const known = new Set([MANIFEST, SIGNATURE, manifest.fingerprint.file]);
  for (const { file } of manifest.parts) known.add(file);
  const findings: Finding[] = [];
  for await (const { name, bytes } of storage.list(folder, signal)) {
    const file = name.slice(folder.length);
    if (known.has(file) || file.startsWith(VERIFICATIONS)) continue;
    findings.push({
      ...{ detector: "extra-file", tier: "integrity", weight: "note", subject: file },
      what: `${file} (${bytes} bytes) lies in the backup's folder and is no part of it.`,
    });
  }
  return findings;
}

function evidenceOf({ folder, manifestBytes, manifestSha256 }: StoredBackup): Evidence {
  return { file: `${folder}${MANIFEST}`, bytes: manifestBytes.length, sha256: manifestSha256 };
}
