import { createHash } from "node:crypto";
import { codeOf, describe } from "../../failure/index.ts";
import { existsAlready, notAsStored } from "../errors.ts";
import { look } from "./look.ts";
import type { ObjectFacts } from "./object.ts";
import { S3Refusal } from "./refusal.ts";
import type { Sums, Task } from "./task.ts";

/** Holds the storage's own word on the object against what was sent. */
export async function prove(task: Task, sums: Sums & { readonly bytes: number }): Promise<void> {
  const { context, key, name, options } = task;
  const { client, world, place } = context;
  let found: ObjectFacts | undefined;
  try {
    found = await look(client, key, options.signal);
  } catch (error) {
    if (!(error instanceof S3Refusal) || error.code !== "AccessDenied") throw error;
    const wrong = differsBySum(sums, sums.checksum, sums.etag);
    if (wrong !== undefined) throw notAsStored(name, place, wrong);
    world.log.warning(
      `${name} in ${place}: its size and lock are not proven, for who signed in may write it and not look at it (s3:GetObject). The sum that the storage answered with is right.`,
    );
    return;
  }
  const wrong = found === undefined ? "it is not there after it was written" : differs(found, sums);
  if (wrong !== undefined) {
    await takeBack(task);
    throw notAsStored(name, place, wrong);
  }
  if (found !== undefined) checkLock(task, found);
}

async function takeBack({ context: { client, world }, key, options }: Task): Promise<void> {
  if (options.replace === true) return;
  const request = { operation: "delete", method: "DELETE", key, signal: options.signal } as const;
  await client.ask({ ...request, expected: [404] }).catch((error: unknown) => {
    world.log.warning(
      `What is wrong there could not be removed: ${codeOf(error) ?? describe(error)}`,
    );
  });
}

function differs(found: ObjectFacts, sums: Sums & { readonly bytes: number }): string | undefined {
  if (found.bytes !== sums.bytes) {
    return `${sums.bytes} bytes were written, and it holds ${found.bytes}`;
  }
  const isPlain = found.encryption === undefined || found.encryption === "AES256";
  const byEtag = isPlain ? found.etag : "";
  return differsBySum(sums, found.sha256 ?? sums.checksum, byEtag);
}

/** Source: Amazon S3, "Checking object integrity": sums of sums for what was sent in parts. */
function differsBySum(
  { parts, isMultipart }: Sums,
  checksum: string | undefined,
  etag: string,
): string | undefined {
  if (checksum !== undefined) {
    const own = sumOf(
      "sha256",
      parts.map(({ sha256 }) => sha256),
      isMultipart,
    ).toString("base64");
    const expected = isMultipart ? `${own}-${parts.length}` : own;
    // Some leave the number of parts away.
    if (checksum === expected || checksum === own) return undefined;
    return `its SHA-256 is ${checksum}, and ${expected} was sent`;
  }
  const hasMd5 = parts.every(({ md5 }) => md5.length > 0);
  if (!hasMd5 || !/^[0-9a-f]{32}(-\d+)?$/.test(etag)) return undefined;
  const own = sumOf(
    "md5",
    parts.map(({ md5 }) => md5),
    isMultipart,
  ).toString("hex");
  const expected = isMultipart ? `${own}-${parts.length}` : own;
  return etag === expected ? undefined : `its MD5 is ${etag}, and ${expected} was sent`;
}

function sumOf(algorithm: string, sums: readonly Buffer[], isMultipart: boolean): Buffer {
  if (!isMultipart) return sums[0] ?? Buffer.alloc(0);
  const hash = createHash(algorithm);
  for (const sum of sums) hash.update(sum);
  return hash.digest();
}

/** A lock that was asked for is there, as strict and as long. */
function checkLock({ context, name }: Task, found: ObjectFacts): void {
  const { settings, world, place } = context;
  if (settings.lock === undefined) return;
  if (found.lockedUntil === undefined) {
    world.log.warning(
      `${name} in ${place}: its lock is not proven, for the storage does not tell it (s3:GetObjectRetention may be missing)`,
    );
    return;
  }
  const days = (found.lockedUntil - world.clock.now()) / 86_400_000;
  const isShort = days < settings.lock.days - 1;
  const isLoose = settings.lock.mode === "compliance" && found.lockMode !== "COMPLIANCE";
  if (!isShort && !isLoose) return;
  throw notAsStored(
    name,
    place,
    `a lock (${settings.lock.mode}) for ${settings.lock.days} days was asked for, and it has ${found.lockMode ?? "none"} until ${new Date(found.lockedUntil).toISOString()}`,
  );
}

/** Whether what is there is what was sent, for an answer that says that something is there. */
export async function holdOurs(task: Task, sums: Sums & { readonly bytes: number }): Promise<void> {
  const found = await look(task.context.client, task.key, task.options.signal);
  if (found === undefined || differs(found, sums) !== undefined) {
    throw existsAlready(task.name, task.context.place);
  }
}
