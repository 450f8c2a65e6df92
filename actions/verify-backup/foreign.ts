import { Readable } from "node:stream";
import { type ForeignBackup, foreignDump, isBaseBackup } from "../../shared/backup/index.ts";
import {
  contentOf,
  type Dump,
  type DumpFile,
  type ExamineOptions,
  HEAD_BYTES,
  recognise,
  recogniseHead,
} from "../../shared/dump-format/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import type { Examination } from "../../shared/proof/index.ts";
import { decryptionBy } from "../../shared/sealing/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";
import type { Means } from "./means.ts";
import { examinePhysical } from "./physical.ts";
import { provePostgres } from "./postgres.ts";
import { redisOptions } from "./redis.ts";
import { examineStanza, isRepository } from "./stanza.ts";
import type { ForeignSubject } from "./subject.ts";
import type { Found } from "./verification.ts";

/** Examines a backup that another tool made: what it is, its bytes tell. */
export async function examineForeign(
  { backup, all }: ForeignSubject,
  means: Means,
  world: World,
): Promise<Found> {
  const { options, storage } = means;
  const { kind: told, wal } = options;
  if (isRepository(told)) return await examineStanza(told, backup.name, means, world);
  refuseRepository(backup);
  const dump = foreignDump(storage, backup);
  const keys = { identities: options.identity, passphrase: options.passphrase };
  const reading = { decrypt: await decryptionBy(keys, world.secrets) };
  if (told === "auto" ? wal !== undefined || isBaseBackup(dump) : told === "base-backup")
    return await examinePhysical({ backup, dump, reading }, means, world);
  const kind = await kindOf(dump, reading, options, world);
  const examination = await examineKind(kind, dump, reading, means, world);
  const earlier = all
    .filter(({ name }) => name !== backup.name)
    .map(({ name, time, bytes }) => ({
      ...{ backup: name, taken: new Date(time).toISOString(), bytes },
      ...{ rows: undefined, restoreSeconds: undefined, verdict: undefined },
    }));
  return {
    described: {
      ...{ name: options.pattern ?? backup.name, backup: backup.name, kind },
      ...{ subject: `${backup.name}, which another tool wrote`, taken: backup.time },
      ...{ bytes: backup.bytes, storedBytes: backup.bytes },
    },
    ...{ examination, findings: [], unknown: [], evidence: [], earlier },
  };
}

/** Marks of the repositories of tools, in the names of files. */
const MARKS = {
  "wal-g": /(^|\/)(basebackups_005|wal_005)\//,
  pgbackrest: /(^|\/)(backup|archive)\/[^/]+\/((backup|archive)\.info|\d{8}-\d{6}F|\d+-\d+\/)/,
} as const;

/** @throws {UserError} where it is a piece of a repository, which only the tool can put together. */
function refuseRepository({ name, files }: ForeignBackup): void {
  for (const [kind, mark] of Object.entries(MARKS)) {
    const found = files.find((file) => mark.test(file.name));
    if (found === undefined) continue;
    const [tool, around] =
      kind === "wal-g"
        ? ["WAL-G", "the folder around basebackups_005"]
        : ["pgBackRest", "the folder around backup and archive (repo1-path), and name its stanza"];
    throw new UserError({
      title: `This is a piece of a repository of ${tool}`,
      cause: `${name} was chosen by pattern, and ${found.name} is a file that ${tool} wrote. Alone it is no backup: ${tool} puts its files together.`,
      remedy: `Give \`kind: ${kind}\` without pattern, and as storage ${around}. ${kind} has to be on the PATH.`,
    });
  }
}

type ForeignKind = "postgres" | "redis" | "directory";

/** What it holds, told by the first bytes behind compressions and encryptions. */
async function kindOf(
  dump: Dump,
  reading: Reading,
  { kind }: Options,
  { signal }: World,
): Promise<ForeignKind> {
  if (kind === "postgres" || kind === "redis" || kind === "directory") return kind;
  const [file] = dump.files;
  if (dump.folder || file === undefined) return "postgres";
  const { format, layers } = await recognise(dump, signal);
  const told =
    format === "sealed" && layers.length > 0 ? await formatInside(file, reading, signal) : format;
  if (told === "rdb") return "redis";
  return told === "tar" ? "directory" : "postgres";
}

async function formatInside(file: DumpFile, reading: Reading, signal: AbortSignal) {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of contentOf(file, { signal, ...reading })) {
    parts.push(part);
    bytes += part.length;
    if (bytes >= HEAD_BYTES) break;
  }
  return recogniseHead(Buffer.concat(parts)).format;
}

type Reading = { readonly decrypt: NonNullable<ExamineOptions["decrypt"]> };

async function examineKind(
  kind: ForeignKind,
  dump: Dump,
  reading: Reading,
  means: Means,
  world: World,
): Promise<Examination> {
  const { options } = means;
  if (kind === "postgres") return await provePostgres({ dump }, { reading }, means, world);
  const [file] = dump.files;
  if (dump.folder || file === undefined) throw noFile(dump, kind);
  const plain = {
    name: file.name,
    open: async (signal: AbortSignal) => Readable.from(contentOf(file, { signal, ...reading })),
  };
  if (kind === "directory") {
    const { examineTar } = await import("../../shared/directory/index.ts");
    return await examineTar(plain, { tier: options.tier }, world);
  }
  const { examineRdb } = await import("../../shared/redis/index.ts");
  return await examineRdb(plain, redisOptions(options, means.declared), world);
}

function noFile({ name }: Dump, kind: ForeignKind): UserError {
  return new UserError({
    title: "A folder where a file was expected",
    cause: `${name} is a folder, and a backup of kind ${kind} is one file.`,
    remedy: "Give pattern so that it names the file itself, or another kind.",
  });
}
