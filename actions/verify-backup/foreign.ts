import type { ForeignBackup } from "../../shared/backup/index.ts";
import { type Dump, dumpOf, recognise } from "../../shared/dump-format/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import type { Examination } from "../../shared/proof/index.ts";
import type { Storage } from "../../shared/storage/index.ts";
import type { World } from "../../shared/world/index.ts";
import { redisOptions } from "./examine.ts";
import type { Means } from "./examine-subject.ts";
import { provePostgres } from "./postgres.ts";
import type { ForeignSubject } from "./subject.ts";
import type { Found } from "./verification.ts";

/** Examines a backup that another tool made: what it is, its bytes tell. */
export async function examineForeign(
  { backup, all }: ForeignSubject,
  { options, storage }: Means,
  world: World,
): Promise<Found> {
  const dump = dumpIn(storage, backup);
  const kind = options.kind === "auto" ? await kindOf(dump, world) : options.kind;
  const examination = await examineKind(kind, dump, { options, storage }, world);
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

/** The files of a backup, read where they are. */
function dumpIn(storage: Storage, { name, files }: ForeignBackup): Dump {
  const opened = files.map((file) => ({
    name: name.endsWith("/") ? file.name.slice(name.length) : file.name,
    bytes: file.bytes,
    open: (signal: AbortSignal) => storage.read(file.name, { signal }),
  }));
  const [first] = opened;
  if (name.endsWith("/") || first === undefined) return { name, folder: true, files: opened };
  return dumpOf(first);
}

type ForeignKind = "postgres" | "redis" | "directory";

async function kindOf(dump: Dump, world: World): Promise<ForeignKind> {
  const recognised = await recognise(dump, world.signal);
  if (recognised.format === "rdb") return "redis";
  if (recognised.format === "tar") return "directory";
  return "postgres";
}

async function examineKind(
  kind: ForeignKind,
  dump: Dump,
  { options }: Pick<Means, "options" | "storage">,
  world: World,
): Promise<Examination> {
  if (kind === "postgres") return await provePostgres({ dump }, undefined, options, world);
  throw new UserError({ title: "x", cause: "y", remedy: `${redisOptions(options).tier}` });
}
