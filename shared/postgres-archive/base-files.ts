import {
  type Dump,
  type DumpFile,
  type Fault,
  readTar,
  type TarMember,
} from "../dump-format/index.ts";
import { type Decrypt, plainContent } from "./plain-content.ts";

/** A file or link of a base backup, by its place in the data folder. */
export interface BaseEntry {
  /** Parts separated by slashes, without `..`. */
  readonly path: string;
  readonly kind: "file" | "folder" | "link";
  /** Of a link. */
  readonly target: string;
  content(): AsyncIterable<Buffer>;
}

export interface BaseReading {
  readonly signal: AbortSignal;
  readonly decrypt?: Decrypt | undefined;
  readonly onFault: (fault: Fault) => void;
}

const TAR = /(?:^|\/)(base|pg_wal|\d+)\.tar(\.(gz|zst|lz4|age|enc))*$/;
const MOST_MEMBERS = 50_000_000;

/** The manifest beside it, which has to be read before everything else. */
export function manifestFile({ files }: Dump): DumpFile | undefined {
  return files.find(({ name }) => /(^|\/)backup_manifest(\.(gz|zst|lz4))?$/.test(name));
}

/**
 * Everything in a base backup, as it streams by: members of base.tar, of the tablespaces' tars and
 * of pg_wal.tar, or the files of a folder. Faults of tars and compressions are told.
 */
export async function* entriesOf(base: Dump, reading: BaseReading): AsyncGenerator<BaseEntry> {
  const manifest = manifestFile(base);
  const tars = base.files.filter(({ name }) => !base.folder || TAR.test(name));
  if (tars.length === 0) {
    for (const file of base.files) if (file !== manifest) yield plain(file, reading);
    return;
  }
  for (const file of tars) {
    const stem = TAR.exec(file.name)?.[1] ?? "base";
    const prefix = stem === "base" ? "" : stem === "pg_wal" ? "pg_wal/" : `pg_tblspc/${stem}/`;
    yield* membersOf(file, prefix, reading);
  }
}

function plain(file: DumpFile, reading: BaseReading): BaseEntry {
  return {
    ...{ path: file.name, kind: "file", target: "" },
    async *content() {
      yield* await file.open(reading.signal);
    },
  };
}

async function* membersOf(
  file: DumpFile,
  prefix: string,
  reading: BaseReading,
): AsyncGenerator<BaseEntry> {
  let faults: Fault[] = [];
  const tell = (isOwnLink: boolean) => {
    // Links of tablespaces lead out of the data folder by their nature; they are not followed.
    for (const fault of faults) {
      if (!(isOwnLink && fault.detector === "hostile")) reading.onFault(fault);
    }
    faults = [];
  };
  const members = readTar(plainContent(file, reading), {
    subject: file.name,
    members: MOST_MEMBERS,
    onFault: (fault) => faults.push(fault),
  });
  for await (const member of members) {
    const entry = entryOf(member, prefix);
    tell(entry?.kind === "link");
    if (entry !== undefined) yield entry;
  }
  tell(false);
}

function entryOf(member: TarMember, prefix: string): BaseEntry | undefined {
  const name = member.name.replace(/^(\.\/+)+/, "").replace(/\/+$/, "");
  if (name === "" || name === ".") return undefined;
  const path = `${prefix}${name}`;
  const { target } = member;
  if (member.kind === "symbolic-link") {
    const known = /^pg_tblspc\/\d+$/.test(path) || path === "pg_wal";
    return known ? { path, kind: "link", target, content: () => member.content() } : undefined;
  }
  if (member.kind !== "file" && member.kind !== "folder") return undefined;
  return { path, kind: member.kind, target: "", content: () => member.content() };
}
