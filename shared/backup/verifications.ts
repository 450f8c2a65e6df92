import { randomBytes } from "node:crypto";
import { buffer, text } from "node:stream/consumers";
import { holds, type Tier, type Verification } from "../proof/index.ts";
import type { Storage } from "../storage/index.ts";
import type { World } from "../world/index.ts";
import type { Catalogue, Listed } from "./catalogue.ts";
import { MANIFEST, VERIFICATIONS } from "./identity.ts";
import type { BackupManifest } from "./manifest.ts";
import { BrokenManifest, readManifest } from "./read-manifest.ts";
import type { Signer, Verifier } from "./signature.ts";

/** Backups whose small files are read at the same time. */
const TOGETHER = 8;

/** A backup, its manifest, and what verifications found in it. */
export interface BackupHistory {
  readonly listed: Listed;
  /** Undefined where it cannot be relied on. */
  readonly manifest: BackupManifest | undefined;
  /** Oldest first. */
  readonly verifications: readonly Verification[];
  /** How many of its verifications are not what they were when they were written. */
  readonly unreadable: number;
}

/**
 * Keeps a verification beside its backup: a file by its time, and its signature, which comes first.
 *
 * @returns the file's name in the storage.
 */
export async function recordVerification(
  storage: Storage,
  folder: string,
  verification: Verification,
  signer: Signer | undefined,
  { signal }: Pick<World, "signal">,
): Promise<string> {
  const time = verification.verified.replace(/[-:]|\.\d+/g, "");
  const name = `${folder}${VERIFICATIONS}${time}-${randomBytes(3).toString("hex")}.json`;
  const bytes = Buffer.from(`${JSON.stringify(verification)}\n`);
  if (signer !== undefined) await storage.write(`${name}.sig`, signer.sign(bytes), { signal });
  await storage.write(name, bytes, { signal });
  return name;
}

/** What of a series' history is read. */
export interface HistoryOptions {
  /** So many of the newest. */
  readonly limit: number;
  /** With it, only verifications count that it signed. */
  readonly verifier?: Verifier | undefined;
  /** What is in an archive, and cannot be read at once, is passed over; otherwise that fails. */
  readonly skipsFrozen?: boolean;
}

/** The backups of a series with what is known of them, oldest first. */
export async function readHistory(
  storage: Storage,
  { backups }: Catalogue,
  { limit, verifier, skipsFrozen = false }: HistoryOptions,
  signal: AbortSignal,
): Promise<readonly BackupHistory[]> {
  const newest = backups.slice(Math.max(0, backups.length - limit));
  const histories: BackupHistory[] = [];
  for (let at = 0; at < newest.length; at += TOGETHER) {
    const some = newest.slice(at, at + TOGETHER);
    const read = some.map(async (listed) => {
      const seen = skipsFrozen ? withoutFrozen(listed) : listed;
      return { ...(await historyOf(storage, seen, verifier, signal)), listed };
    });
    histories.push(...(await Promise.all(read)));
  }
  return histories;
}

function withoutFrozen(listed: Listed): Listed {
  const files = listed.files.filter(({ state }) => state === "ready");
  const names = new Set(files.map(({ name }) => name));
  return {
    ...listed,
    files,
    verifications: listed.verifications.filter((name) => names.has(name)),
  };
}

async function historyOf(
  storage: Storage,
  listed: Listed,
  verifier: Verifier | undefined,
  signal: AbortSignal,
): Promise<BackupHistory> {
  const verifications: Verification[] = [];
  let unreadable = 0;
  for (const name of listed.verifications) {
    const found = await verificationAt(storage, listed, name, verifier, signal);
    if (found === undefined) unreadable++;
    else verifications.push(found);
  }
  const manifest = await manifestOf(storage, listed, signal);
  return { listed, manifest, verifications, unreadable };
}

async function verificationAt(
  storage: Storage,
  { id, files }: Listed,
  name: string,
  verifier: Verifier | undefined,
  signal: AbortSignal,
): Promise<Verification | undefined> {
  const bytes = await buffer(await storage.read(name, { signal }));
  if (verifier !== undefined) {
    if (!files.some((file) => file.name === `${name}.sig`)) return undefined;
    const signature = await buffer(await storage.read(`${name}.sig`, { signal }));
    if (!verifier.verify(bytes, signature)) return undefined;
  }
  return readVerification(bytes.toString(), id);
}

/** Undefined where it is none, or of another backup. */
function readVerification(json: string, id: string): Verification | undefined {
  let given: Partial<Verification> | null;
  try {
    given = JSON.parse(json);
  } catch {
    return undefined;
  }
  const isSound =
    given?.schema === 1 &&
    given.backup === id &&
    (given.verdict === "passed" || given.verdict === "failed") &&
    ["integrity", "data", "full"].includes(given.reached ?? "") &&
    !Number.isNaN(Date.parse(given.verified ?? "")) &&
    Array.isArray(given.findings) &&
    Array.isArray(given.items);
  return isSound ? (given as Verification) : undefined;
}

async function manifestOf(
  storage: Storage,
  { folder, files }: Listed,
  signal: AbortSignal,
): Promise<BackupManifest | undefined> {
  if (!files.some(({ name }) => name === `${folder}${MANIFEST}`)) return undefined;
  const json = await text(await storage.read(`${folder}${MANIFEST}`, { signal }));
  try {
    return readManifest(json);
  } catch (error) {
    if (error instanceof BrokenManifest) return undefined;
    throw error;
  }
}

/**
 * The deepest tier at which a backup is proven: that a verification passed, and no later one found
 * damage. That a later one found it too old, or odd, takes nothing from it.
 */
export function provenTier(verifications: readonly Verification[]): Tier | undefined {
  let proven: Tier | undefined;
  for (const { verdict, reached, findings } of verifications) {
    if (findings.some(({ weight }) => weight === "damage")) proven = undefined;
    else if (verdict === "passed" && (proven === undefined || holds(reached, proven)))
      proven = reached;
  }
  return proven;
}

/** Whether the last word on a backup is that it is damaged. */
export function isDamaged(verifications: readonly Verification[]): boolean {
  const last = verifications.findLast(
    ({ verdict, findings }) =>
      verdict === "passed" || findings.some(({ weight }) => weight === "damage"),
  );
  return last !== undefined && last.verdict !== "passed";
}
