import { Readable } from "node:stream";
import type { ForeignBackup } from "../../../../shared/backup/index.ts";
import {
  contentOf,
  type Dump,
  type DumpExamination,
  type ExamineOptions,
  examineDump,
} from "../../../../shared/dump-format/index.ts";
import { UserError } from "../../../../shared/failure/index.ts";
import type { Origin } from "../../origin.ts";
import type { Means, Restored } from "../../restored.ts";
import type { SourceDump } from "../dump.ts";
import { restoreInto } from "../restore-postgres.ts";
import type { DumpContents } from "./contents.ts";
import { proverByContents } from "./prove-contents.ts";
import { contentsOfArchive, contentsOfSql } from "./read-contents.ts";

/** A dump of PostgreSQL that another tool keeps, such as a cron. */
export interface ForeignDump {
  readonly backup: ForeignBackup;
  readonly dump: Dump;
  readonly decrypt: NonNullable<ExamineOptions["decrypt"]>;
}

const FORMS: Partial<Record<DumpExamination["recognised"]["format"], SourceDump["form"]>> = {
  "pg-plain": "plain",
  sql: "plain",
  "pg-custom": "file",
  "pg-directory": "folder",
  "pg-tar": "tar",
};

/**
 * Restores a dump that has no fingerprint. Every byte of it is read first; what is damaged, or would
 * act outside of the database, is refused. It is proven by what it says of itself, which is less.
 */
export async function restoreForeignDump(
  foreign: ForeignDump,
  means: Means,
): Promise<{ readonly origin: Origin; readonly restored: Restored }> {
  const { options, world, journal } = means;
  const { backup, dump, decrypt } = foreign;
  if (options.targetFolder !== undefined) throw noCluster(backup);
  const reading = { signal: world.signal, decrypt };
  world.log.info(`Reading ${backup.name}`);
  const read = await journal.phase("read", () => examineDump(dump, reading));
  const form = requireSound(read, backup);
  const source = sourceOf(foreign, form, read, means);
  const contents = await journal.phase("structure", () => contentsIn(dump, read, reading));
  const restored = await restoreInto(source.dumper, means, async () => ({
    dump: source,
    ...{ demands: contents.demands, fingerprint: undefined, prove: proverByContents(contents) },
  }));
  const sum =
    read.sha256 === undefined
      ? []
      : [{ file: backup.name, bytes: read.storedBytes, sha256: read.sha256 }];
  return {
    restored,
    origin: {
      ...{ name: options.pattern ?? backup.name, id: backup.name, kind: "postgres" },
      subject: `${backup.name}, ${read.recognised.sentence}`,
      ...{ moment: backup.time, bytes: read.plainBytes },
      ...{ storedBytes: backup.bytes, findings: read.findings, unknown: [], evidence: sum },
      circumstances: {
        ...(read.server !== undefined && { server: read.server }),
        ...(read.dumper !== undefined && { pg_dump: read.dumper }),
      },
    },
  };
}

function noCluster({ name }: ForeignBackup): UserError {
  return new UserError({
    title: "A dump is restored into a server",
    cause: `target-folder is given, which takes a base backup, and ${name} is none.`,
    remedy: "Give target, or the pattern of base backups. The target was not touched.",
  });
}

/** @throws {UserError} where it is no dump of one database, is damaged, or hostile. */
function requireSound(
  { recognised, findings }: DumpExamination,
  { name }: ForeignBackup,
): SourceDump["form"] {
  const form = FORMS[recognised.format];
  const hostile = findings.filter(
    ({ detector, weight }) => weight !== "note" && (detector === "hostile" || detector === "bomb"),
  );
  const damage = findings.filter(({ weight }) => weight === "damage");
  const lines = (all: typeof findings) =>
    all
      .slice(0, 8)
      .map(({ subject, what }) => `${subject}: ${what}`)
      .join("\n");
  if (hostile.length > 0) {
    throw new UserError({
      title: "Hostile dump",
      cause: `${name} would do more than put tables back:\n${lines(hostile)}`,
      remedy:
        "It was not run. Find out who wrote the dump and why before restoring it anywhere. The target was not touched.",
    });
  }
  if (form !== undefined && damage.length === 0) return form;
  if (form === undefined) {
    throw new UserError({
      title: "This cannot be restored into a database",
      cause: `${name} is ${recognised.sentence}. ${recognised.refusal ?? ""}`.trim(),
      remedy:
        "Give the pattern of dumps of one database by pg_dump, or of base backups. The target was not touched.",
    });
  }
  throw new UserError({
    title: "The backup is damaged",
    cause: `${name}: ${lines(damage)}`,
    remedy: "Give another one by `backup`. The target was not touched.",
  });
}

function sourceOf(
  { backup, dump, decrypt }: ForeignDump,
  form: SourceDump["form"],
  { dumper }: DumpExamination,
  { world }: Means,
): SourceDump {
  const major = Number.parseInt(/\d+/.exec(dumper ?? "")?.[0] ?? "0", 10);
  return {
    ...{ id: new Date(backup.time).toISOString(), form, excluded: [] },
    dumper: form === "plain" ? 0 : major,
    files: dump.files.map((file) => ({
      name: dump.folder ? file.name : (file.name.split("/").at(-1) ?? file.name),
      // The members of a folder are compressed as pg_restore wants them.
      open: async (signal) =>
        Readable.from(
          dump.folder
            ? await file.open(signal)
            : contentOf(file, { signal: world.signal, decrypt }),
        ),
    })),
  };
}

async function contentsIn(
  { files }: Dump,
  read: DumpExamination,
  reading: Pick<ExamineOptions, "signal" | "decrypt">,
): Promise<DumpContents> {
  if (read.archive !== undefined) return contentsOfArchive(read.archive, read);
  const [file] = files;
  if (file === undefined) throw new Error("a dump without files");
  return await contentsOfSql(file, read, reading);
}
