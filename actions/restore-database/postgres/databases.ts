import {
  quoteIdentifier,
  quoteLiteral,
  type Session,
  SqlFailed,
} from "../../../shared/postgres/index.ts";
import { localesToTry } from "../../../shared/postgres-restore/index.ts";

/** A database of a server, with what does not come with a dump. */
export interface DatabaseProperties {
  readonly owner: string;
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
  /** -1 for no limit. */
  readonly connectionLimit: number;
  /** As `GRANT ... ON DATABASE` would have it; undefined where they are those of every new one. */
  readonly privileges: readonly Grant[] | undefined;
  /** `ALTER DATABASE ... SET` and `ALTER ROLE ... IN DATABASE ... SET`. */
  readonly settings: readonly Setting[];
  readonly comment: string | null;
  readonly tablespace: string;
}

export interface Grant {
  /** Empty for PUBLIC. */
  readonly grantee: string;
  readonly privilege: string;
  readonly grantable: boolean;
}

export interface Setting {
  /** Empty for every role. */
  readonly role: string;
  readonly name: string;
  readonly value: string;
}

type Basics = Omit<DatabaseProperties, "privileges" | "settings"> & { readonly granted: boolean };

/** A database's properties; undefined where there is none of this name. */
export async function propertiesOf(
  session: Session,
  database: string,
): Promise<DatabaseProperties | undefined> {
  const name = quoteLiteral(database);
  const [found] = await session.query<Basics>(
    `SELECT pg_get_userbyid(datdba) AS owner, pg_encoding_to_char(encoding) AS encoding, datcollate AS "collate",
            datctype AS ctype, datconnlimit AS "connectionLimit", shobj_description(d.oid, 'pg_database') AS comment,
            datacl IS NOT NULL AS granted, spcname AS tablespace
       FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE datname = ${name}`,
  );
  if (found === undefined) return undefined;
  const privileges = await session.query<Grant>(
    `SELECT CASE WHEN a.grantee = 0 THEN '' ELSE pg_get_userbyid(a.grantee) END AS grantee,
            a.privilege_type AS privilege, a.is_grantable AS grantable
       FROM pg_database d, aclexplode(d.datacl) a WHERE d.datname = ${name}`,
  );
  const settings = await session.query<Setting>(
    `SELECT CASE WHEN s.setrole = 0 THEN '' ELSE pg_get_userbyid(s.setrole) END AS role,
            split_part(e.entry, '=', 1) AS name, substr(e.entry, strpos(e.entry, '=') + 1) AS value
       FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) AS e(entry)
      WHERE d.datname = ${name}`,
  );
  const { granted, ...basics } = found;
  return { ...basics, privileges: granted ? privileges : undefined, settings };
}

/** Settings whose value is a list: quoted as one text they would name one odd thing. */
const LISTS = new Set([
  ...["search_path", "temp_tablespaces", "local_preload_libraries", "session_preload_libraries"],
  ...["shared_preload_libraries", "unix_socket_directories", "listen_addresses"],
  ...["synchronous_standby_names", "createrole_self_grant", "restrict_nonsystem_relation_kind"],
]);

/**
 * The statements that give a new database, which has its owner already, the properties of a former
 * one but for its comment.
 *
 * Source: pg_dump of PostgreSQL writes lists unquoted where the server keeps them quoted already,
 * variable_is_guc_list_quote in src/bin/pg_dump/dumputils.c.
 */
export function likeBefore(database: string, properties: DatabaseProperties): readonly string[] {
  const name = quoteIdentifier(database);
  const { owner, connectionLimit, privileges, settings } = properties;
  const revoked = ["PUBLIC", quoteIdentifier(owner)].map(
    (whom) => `REVOKE ALL ON DATABASE ${name} FROM ${whom}`,
  );
  return [
    ...(connectionLimit === -1
      ? []
      : [`ALTER DATABASE ${name} CONNECTION LIMIT ${connectionLimit}`]),
    ...settings.map((setting) => settingStatement(name, setting)),
    ...(privileges === undefined ? [] : revoked),
    ...(privileges ?? []).map(({ grantee, privilege, grantable }) => {
      const to = grantee === "" ? "PUBLIC" : quoteIdentifier(grantee);
      return `GRANT ${privilege} ON DATABASE ${name} TO ${to}${grantable ? " WITH GRANT OPTION" : ""}`;
    }),
  ];
}

function settingStatement(database: string, { role, name, value }: Setting): string {
  const whose =
    role === ""
      ? `ALTER DATABASE ${database}`
      : `ALTER ROLE ${quoteIdentifier(role)} IN DATABASE ${database}`;
  const written = LISTS.has(name.toLowerCase()) && value !== "" ? value : quoteLiteral(value);
  const parameter = name.split(".").map(quoteIdentifier).join(".");
  return `${whose} SET ${parameter} TO ${written}`;
}

/** The order and case of text in a database. */
export interface DatabaseLocale {
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
  /** `libc`, `icu` or `builtin`. */
  readonly provider: string;
  /** Of the providers icu and builtin. */
  readonly locale?: string | null | undefined;
}

/** The locale of a database of this server, as CREATE DATABASE takes it. */
export async function localeOf(
  session: Session,
  database: string,
): Promise<DatabaseLocale | undefined> {
  const [row] = await session.query<{ readonly facts: Record<string, string | null> }>(
    `SELECT to_jsonb(d) AS facts FROM (
       SELECT pg_encoding_to_char(encoding) AS "encodingName", * FROM pg_database
        WHERE datname = ${quoteLiteral(database)}) d`,
  );
  if (row === undefined) return undefined;
  const { facts } = row;
  const providers: Readonly<Record<string, string>> = { c: "libc", i: "icu", b: "builtin" };
  return {
    encoding: facts.encodingName ?? "UTF8",
    collate: facts.datcollate ?? "C",
    ctype: facts.datctype ?? "C",
    provider: providers[facts.datlocprovider ?? "c"] ?? "libc",
    // Its name has changed with version 17.
    locale: facts.datlocale ?? facts.daticulocale ?? undefined,
  };
}

/**
 * Makes an empty database in the locale of a former one or, without one, of the backup's.
 *
 * @returns what is not as it was there, one sentence each.
 * @throws {SqlFailed} where the role may not.
 */
export async function createLike(
  session: Session,
  database: string,
  former: DatabaseProperties | undefined,
  wanted: { readonly locale: DatabaseLocale | undefined; readonly major: number },
): Promise<readonly string[]> {
  const ways = waysOf(wanted);
  // Where it is the usual one, no right to it is needed.
  const isUsual = former === undefined || former.tablespace === "pg_default";
  const space = isUsual ? "" : ` TABLESPACE ${quoteIdentifier(former.tablespace)}`;
  const told: string[] = [];
  for (const [index, { clause, told: words }] of ways.entries()) {
    try {
      await session.run(
        `CREATE DATABASE ${quoteIdentifier(database)} TEMPLATE template0${space} ${clause}`,
      );
      return told;
    } catch (error) {
      // 22023 and 42809: the system does not have the locale, or not for this encoding.
      const isLocale = error instanceof SqlFailed && /^(22023|42809|42704)$/.test(error.sqlstate);
      if (!isLocale || index === ways.length - 1) throw error;
      if (words !== undefined) told.push(words);
    }
  }
  return told;
}

/** What is tried, in this order; without a word on it, the server's own is taken. */
function waysOf({
  locale: wanted,
  major,
}: {
  readonly locale: DatabaseLocale | undefined;
  readonly major: number;
}): ReturnType<typeof localesToTry> {
  if (wanted === undefined) return [{ clause: "", told: undefined }];
  const { locale, provider } = wanted;
  const known = PROVIDERS.find((each) => each === provider);
  return localesToTry({ ...wanted, provider: known, locale: locale ?? undefined }, major);
}

const PROVIDERS = ["libc", "icu", "builtin"] as const;
