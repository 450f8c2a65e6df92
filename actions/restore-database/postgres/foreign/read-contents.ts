import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  type Archive,
  contentOf,
  type DumpExamination,
  type DumpFile,
  type EntryHeader,
  type ExamineOptions,
  plainSqlFilter,
} from "../../../../shared/dump-format/index.ts";
import type { DatabaseLocale } from "../databases.ts";
import { asSql, type DumpContents, type Made, rolesIn, sequenceSetIn } from "./contents.ts";

const GRANTS = new Set(["ACL", "DEFAULT ACL"]);

/** What the table of contents of an archive says of it. */
export function contentsOfArchive(
  archive: Archive,
  { rows, server = "" }: DumpExamination,
): DumpContents {
  const { entries } = archive;
  const owners = new Set(entries.flatMap(({ owner }) => (owner === "" ? [] : [asSql(owner)])));
  const granted = entries
    .filter(({ kind }) => GRANTS.has(kind))
    .flatMap(({ definition }) => rolesIn(definition));
  const database = entries.find(({ kind }) => kind === "DATABASE");
  return {
    rows,
    made: entries.map(({ kind, schema, name }) => ({ kind, schema, name })),
    sequences: entries.flatMap(({ kind, definition }) => {
      const set = kind === "SEQUENCE SET" ? sequenceSetIn(definition) : undefined;
      return set === undefined ? [] : [set];
    }),
    demands: {
      version: server,
      extensions: entries.filter(({ kind }) => kind === "EXTENSION").map(({ name }) => asSql(name)),
      roles: [...new Set([...owners, ...granted])],
      owners: [...owners],
      databaseOwner: database?.owner || undefined,
      locale: localeIn(database?.definition ?? ""),
    },
  };
}

/**
 * Reads a dump in SQL from its beginning to its end, and gathers what it makes.
 *
 * @throws {UserError} for what would act outside of the database, before any of it is run.
 */
export async function contentsOfSql(
  file: DumpFile,
  { rows, server = "" }: DumpExamination,
  reading: Pick<ExamineOptions, "signal" | "decrypt">,
): Promise<DumpContents> {
  const gathered = new Gathered();
  const filter = plainSqlFilter({ dropConnect: true, skip: (...told) => gathered.take(...told) });
  filter.resume();
  await pipeline(Readable.from(contentOf(file, reading)), filter, { signal: reading.signal });
  return {
    ...{ rows, made: gathered.made, sequences: [] },
    demands: {
      version: server,
      extensions: [...gathered.extensions],
      roles: [...new Set([...gathered.owners, ...gathered.granted])],
      owners: [...gathered.owners],
      ...{ databaseOwner: undefined, locale: undefined },
    },
  };
}

class Gathered {
  readonly made: Made[] = [];
  readonly extensions = new Set<string>();
  readonly owners = new Set<string>();
  readonly granted = new Set<string>();
  #last: EntryHeader | undefined;

  /** Leaves nothing out. */
  take(code: string, header: EntryHeader | undefined): boolean {
    if (header !== undefined && header !== this.#last) this.made.push({ ...header });
    this.#last = header;
    const extension = /^\s*CREATE EXTENSION (?:IF NOT EXISTS )?("(?:[^"]|"")+"|[\w$]+)/i.exec(code);
    if (extension?.[1] !== undefined) this.extensions.add(extension[1]);
    if (/^\s*ALTER [^;]* OWNER TO /i.test(code) && !/^\s*ALTER DATABASE /i.test(code))
      for (const role of rolesIn(code)) this.owners.add(role);
    else if (/^\s*(GRANT|REVOKE|ALTER DEFAULT PRIVILEGES) /i.test(code))
      for (const role of rolesIn(code)) this.granted.add(role);
    return false;
  }
}

/** The locale in the `CREATE DATABASE` of a dump; undefined where it tells none. */
export function localeIn(definition: string): DatabaseLocale | undefined {
  const value = (name: string) =>
    new RegExp(`\\b${name}\\s*=\\s*'((?:[^']|'')*)'`).exec(definition)?.[1]?.replaceAll("''", "'");
  const encoding = value("ENCODING");
  if (encoding === undefined) return undefined;
  const both = value("LOCALE");
  const provider = /\bLOCALE_PROVIDER\s*=\s*(\w+)/.exec(definition)?.[1] ?? "libc";
  return {
    ...{ encoding, provider },
    collate: value("LC_COLLATE") ?? both ?? "C",
    ctype: value("LC_CTYPE") ?? both ?? "C",
    locale: value("ICU_LOCALE") ?? value("BUILTIN_LOCALE"),
  };
}
