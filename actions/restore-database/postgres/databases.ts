import { quoteIdentifier, quoteLiteral, type Session } from "../../../shared/postgres/index.ts";

/** A database of a server, with what does not come with a dump. */
export interface DatabaseProperties {
  readonly owner: string;
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
  /** -1 for no limit. */
  readonly connectionLimit: number;
  /** As `GRANT ... ON DATABASE` would have it; null where it is the usual. */
  readonly privileges: readonly Grant[];
  /** `ALTER DATABASE ... SET` and `ALTER ROLE ... IN DATABASE ... SET`. */
  readonly settings: readonly Setting[];
  readonly comment: string | null;
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

/** A database's properties; undefined where there is none of this name. */
export async function propertiesOf(
  session: Session,
  database: string,
): Promise<DatabaseProperties | undefined> {
  const name = quoteLiteral(database);
  const [found] = await session.query<Omit<DatabaseProperties, "privileges" | "settings">>(
    `SELECT pg_get_userbyid(datdba) AS owner, pg_encoding_to_char(encoding) AS encoding, datcollate AS "collate",
            datctype AS ctype, datconnlimit AS "connectionLimit", shobj_description(oid, 'pg_database') AS comment
       FROM pg_database WHERE datname = ${name}`,
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
  return { ...found, privileges, settings };
}

/** Settings whose value is a list: quoted as one text they would name one odd thing. */
const LISTS = new Set([
  ...["search_path", "temp_tablespaces", "local_preload_libraries", "session_preload_libraries"],
  ...["shared_preload_libraries", "unix_socket_directories", "listen_addresses"],
  ...["synchronous_standby_names", "createrole_self_grant", "restrict_nonsystem_relation_kind"],
]);

/**
 * The statements that give a new database the properties of a former one.
 *
 * Source: pg_dump of PostgreSQL writes lists unquoted where the server keeps them quoted already,
 * variable_is_guc_list_quote in src/bin/pg_dump/dumputils.c.
 */
export function likeBefore(database: string, properties: DatabaseProperties): readonly string[] {
  const name = quoteIdentifier(database);
  const { owner, connectionLimit, privileges, settings, comment } = properties;
  const granted = privileges.length === 0 ? [] : [`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`];
  return [
    ...(connectionLimit === -1
      ? []
      : [`ALTER DATABASE ${name} CONNECTION LIMIT ${connectionLimit}`]),
    ...settings.map((setting) => settingStatement(name, setting)),
    ...(comment === null ? [] : [`COMMENT ON DATABASE ${name} IS ${quoteLiteral(comment)}`]),
    ...granted,
    ...privileges.map(({ grantee, privilege, grantable }) => {
      const to = grantee === "" ? "PUBLIC" : quoteIdentifier(grantee);
      return `GRANT ${privilege} ON DATABASE ${name} TO ${to}${grantable ? " WITH GRANT OPTION" : ""}`;
    }),
    `ALTER DATABASE ${name} OWNER TO ${quoteIdentifier(owner)}`,
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
async function localeOf(session: Session, database: string): Promise<DatabaseLocale | undefined> {
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
 * @throws {SqlFailed} where the role may not, or the system does not have the locale.
 */
export async function createLike(
  session: Session,
  database: string,
  former: string | undefined,
  taken: DatabaseLocale,
): Promise<void> {
  const locale = former === undefined ? taken : ((await localeOf(session, former)) ?? taken);
  const provider =
    locale.provider === "libc" || (locale.locale ?? null) === null
      ? ""
      : ` LOCALE_PROVIDER ${locale.provider} ${locale.provider === "icu" ? "ICU_LOCALE" : "BUILTIN_LOCALE"} ${quoteLiteral(locale.locale ?? "")}`;
  await session.run(
    `CREATE DATABASE ${quoteIdentifier(database)} TEMPLATE template0 ENCODING ${quoteLiteral(locale.encoding)} LC_COLLATE ${quoteLiteral(locale.collate)} LC_CTYPE ${quoteLiteral(locale.ctype)}${provider}`,
  );
}
