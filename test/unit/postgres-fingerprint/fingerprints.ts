import type {
  Catalog,
  PostgresFingerprint,
  TableContent,
} from "../../../shared/postgres-fingerprint/index.ts";

/** A fingerprint of PostgreSQL 16 that holds nothing but what is given. */
export function fingerprint(parts: Partial<PostgresFingerprint> = {}): PostgresFingerprint {
  return {
    schema: 1,
    taken: "2026-01-01T00:00:00.000Z",
    server: { version: "16.4", versionNumber: 160004, standby: false, wal: "0/1", replayed: null },
    database: {
      name: "papers",
      owner: "postgres",
      bytes: 1_000,
      encoding: "UTF8",
      collate: "C.UTF-8",
      ctype: "C.UTF-8",
      provider: "libc",
      locale: null,
      collationVersion: null,
      actualCollationVersion: null,
    },
    catalog: {},
    tables: {},
    sequences: {},
    largeObjects: { count: 0, bytes: 0, hash: "0000000000000000", owners: {} },
    excluded: [],
    ...parts,
  };
}

/** Of another version of the server. */
export function ofVersion(number: number, catalog: Catalog): PostgresFingerprint {
  const { server } = fingerprint();
  return fingerprint({
    catalog,
    server: { ...server, version: `${number}`, versionNumber: number },
  });
}

/** A table of so many rows. */
export function content(rows: number, hash = "00000000000000aa"): TableContent {
  return { rows, bytes: rows * 100, hash };
}
