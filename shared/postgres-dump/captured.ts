import type { Captured } from "../backup/index.ts";
import {
  type Clients,
  type Connection,
  quoteQualified,
  type ServerFacts,
} from "../postgres/index.ts";
import type { PostgresFingerprint } from "../postgres-fingerprint/index.ts";
import type { Selection } from "./selection.ts";
import type { DumpSettings } from "./settings.ts";
import type { Snapshot } from "./snapshot.ts";

export interface Taken {
  readonly connection: Connection;
  readonly server: ServerFacts;
  readonly clients: Clients;
  readonly settings: DumpSettings;
  readonly selection: Selection;
  readonly snapshot: Snapshot;
  readonly fingerprint: PostgresFingerprint;
}

/** What is told of a dump beside its parts. */
export function capturedFrom(taken: Taken): Captured {
  const { server, clients, settings, fingerprint, snapshot } = taken;
  const tables = Object.values(fingerprint.tables);
  return {
    fingerprint,
    taken: momentOf(snapshot, server),
    source: {
      server: server.version,
      pg_dump: clients.version,
      database: server.database,
      role: server.user,
      format: settings.format,
      encoding: server.encoding,
      collation: server.locale ?? server.collate,
      ...(server.systemIdentifier !== undefined && { system: server.systemIdentifier }),
      ...(server.standby !== undefined && { standby: "yes" }),
    },
    measures: {
      rows: tables.reduce((sum, { rows }) => sum + rows, 0),
      bytes: server.bytes ?? tables.reduce((sum, { bytes }) => sum + bytes, 0),
      tables: tables.length,
    },
    excluded: excludedBy(taken.selection),
    notes: notesOf(taken),
  };
}

/** A standby shows the moment up to which it has replayed. */
function momentOf({ taken }: Snapshot, { standby }: ServerFacts): number {
  if (standby === undefined || standby.current || standby.secondsBehind === undefined) return taken;
  return taken - Math.round(standby.secondsBehind * 1_000);
}

function excludedBy(selection: Selection): readonly string[] {
  const { includedSchemas, includedTables, excludedSchemas, excludedTables, excludedData } =
    selection;
  const named = ({ schema, name }: { readonly schema: string; readonly name: string }) =>
    quoteQualified(schema, name).replace(/"([a-z_][a-z0-9_]*)"/g, "$1");
  return [
    ...(includedTables === undefined
      ? []
      : [`everything but ${includedTables.map(named).join(", ")}`]),
    ...(includedSchemas === undefined
      ? []
      : [`everything but schema ${includedSchemas.join(", ")}`]),
    ...excludedSchemas.map((schema) => `schema ${schema}`),
    ...excludedTables.map((table) => `table ${named(table)}`),
    ...excludedData.map((table) => `rows of ${named(table)}`),
  ];
}

function notesOf({ server, clients, settings, selection }: Taken): readonly string[] {
  const foreign = selection.relations.filter(({ kind }) => kind === "f");
  const unlogged = selection.relations.filter(({ kind, unlogged: is }) => kind === "r" && is);
  const list = (relations: readonly { readonly schema: string; readonly name: string }[]) =>
    relations
      .slice(0, 10)
      .map(({ schema, name }) => `${schema}.${name}`)
      .join(", ") + (relations.length > 10 ? ` and ${relations.length - 10} more` : "");
  return [
    ...(foreign.length === 0
      ? []
      : [`Rows of foreign tables are on other servers and not in it: ${list(foreign)}.`]),
    ...(unlogged.length === 0
      ? []
      : [`Unlogged tables are empty after a crash of the server, here too: ${list(unlogged)}.`]),
    ...(clients.major === server.major
      ? []
      : [
          `It was written by pg_dump ${clients.version}: a server of PostgreSQL ${server.major} may not take every statement of it.`,
        ]),
    ...(settings.globals === true
      ? server.superuser
        ? []
        : ["Roles are in it without passwords, for those only a superuser may read."]
      : ["Roles and tablespaces belong to no database and are not in it."]),
    ...(server.collationVersion !== undefined &&
    server.actualCollationVersion !== undefined &&
    server.collationVersion !== server.actualCollationVersion
      ? [
          `The server's collations have changed (${server.collationVersion}, now ${server.actualCollationVersion}): its indexes on text may be out of order.`,
        ]
      : []),
    ...(server.superuser
      ? []
      : ["Subscriptions and the secrets of user mappings are dumped for superusers only."]),
  ];
}
