/** What a statement of a dump is to whoever restores it. */
export type StatementKind =
  /** Restored as it is. */
  | "plain"
  /** A setting of the session, which has to hold again in another one. */
  | "setting"
  | "extension"
  /** Needs a superuser, runs no code of the dump when it is created, and has one known form. */
  | "privileged"
  /** The same, but acts on what is done later: it has to come last. */
  | "acting"
  /** Belongs to the server and not to the database: made otherwise, or left out. */
  | "server"
  /** Indexes, constraints, triggers: what pg_dump has in its section post-data. */
  | "post-data";

const NAME = String.raw`(?:"(?:[^"]|"")+"|[A-Za-z_\x80-\uffff][\w$\x80-\uffff]*)`;
const QUALIFIED = String.raw`${NAME}(?:\.${NAME})?`;
const LITERAL = "'(?:[^'\\\\]|'')*'";
const form = (pattern: string) => new RegExp(`^${pattern.replaceAll(" ", "\\s+")};$`, "i");

/** Of each kind, exactly the form that pg_dump writes; nothing that could hold more than it says. */
const PRIVILEGED: readonly RegExp[] = [
  form(
    `CREATE EVENT TRIGGER ${NAME} ON ${NAME}(?: WHEN TAG IN \\(${LITERAL}(?:,\\s*${LITERAL})*\\))? EXECUTE (?:FUNCTION|PROCEDURE) ${QUALIFIED}\\(\\)`,
  ),
  form(`ALTER EVENT TRIGGER ${NAME} (?:DISABLE|ENABLE(?: REPLICA| ALWAYS)?)`),
  form(`CREATE PUBLICATION ${NAME}(?: FOR ALL TABLES)?(?: WITH \\([\\w ,='"]+\\))?`),
  form(`ALTER PUBLICATION ${NAME} ADD TABLES IN SCHEMA ${NAME}`),
  form(
    `CREATE SUBSCRIPTION ${NAME} CONNECTION ${LITERAL} PUBLICATION ${NAME}(?:,\\s*${NAME})* WITH \\(connect = false[\\w ,='"]*\\)`,
  ),
  form(`CREATE FOREIGN DATA WRAPPER ${NAME}(?: HANDLER ${QUALIFIED})?`),
  form(`CREATE OPERATOR FAMILY ${QUALIFIED} USING ${NAME}`),
  // By the types' own input and output, whatever they are: nothing of the dump is called.
  /^CREATE\s+CAST\s+\([^;'()]+\sAS\s[^;'()]+\)\s+WITH\s+INOUT(?:\s+AS\s+(?:ASSIGNMENT|IMPLICIT))?;$/i,
  // What the administrator has made belongs to nobody else who could describe it.
  /^COMMENT\s+ON\s[^;']+\sIS\s+(?:NULL|E?'(?:[^'\\]|''|\\.)*');$/i,
  /^CREATE\s+OPERATOR\s+CLASS\s[^;']+;$/i,
  /^ALTER\s+OPERATOR\s+FAMILY\s[^;']+\sADD\s[^;']+;$/i,
];

/** Whether the administrator may run it in place of a restorer who may not. */
export function isHarmlessPrivilege(statement: string): boolean {
  return PRIVILEGED.some((pattern) => pattern.test(statement));
}

const KINDS: readonly (readonly [RegExp, StatementKind])[] = [
  [/^(?:CREATE|COMMENT\s+ON)\s+EXTENSION\s/i, "extension"],
  // Who owns what the administrator has made is no part of the proof.
  [
    /^ALTER\s+(?:OPERATOR\s+(?:CLASS|FAMILY)|EVENT\s+TRIGGER|FOREIGN\s+DATA\s+WRAPPER|PUBLICATION|SUBSCRIPTION)\s[\s\S]*\sOWNER\s+TO\s/i,
    "server",
  ],
  [/^(?:CREATE|ALTER)\s+(?:EVENT\s+TRIGGER|SUBSCRIPTION)\s/i, "acting"],
  [/^COMMENT\s+ON\s+(?:EVENT\s+TRIGGER|PUBLICATION|SUBSCRIPTION)\s/i, "acting"],
  [/^CREATE\s+FOREIGN\s+DATA\s+WRAPPER\s/i, "privileged"],
  [/^CREATE\s+OPERATOR\s+(?:CLASS|FAMILY)\s/i, "privileged"],
  [/^CREATE\s+CAST\s[^;]*\sWITH\s+INOUT\b/i, "privileged"],
  [/^CREATE\s+PUBLICATION\s+\S+\s+FOR\s+ALL\s+TABLES/i, "acting"],
  [/^ALTER\s+PUBLICATION\s+\S+\s+ADD\s+TABLES\s+IN\s+SCHEMA/i, "acting"],
  [/^SET\s+(?:default_tablespace)\b/i, "server"],
  [/^(?:SET|RESET)\s+SESSION\s+AUTHORIZATION\b/i, "server"],
  [/^SET\s/i, "setting"],
  [/^SELECT\s+(?:pg_catalog\.)?set_config\s*\(/i, "setting"],
  [
    /^(?:CREATE|ALTER|DROP)\s+(?:ROLE|USER|GROUP|DATABASE|TABLESPACE|SYSTEM)\s(?!MAPPING\b)/i,
    "server",
  ],
  [/^COMMENT\s+ON\s+(?:DATABASE|ROLE|TABLESPACE)\s/i, "server"],
  [/^(?:GRANT|REVOKE)\s[\s\S]*\sON\s+(?:DATABASE|TABLESPACE|PARAMETER)\s/i, "server"],
  [/^GRANT\s(?:(?!\sON\s)[\s\S])*\sTO\s/i, "server"],
  [
    /^(?:CREATE|DROP)\s+(?:OR\s+REPLACE\s+)?(?:TRUSTED\s+)?(?:PROCEDURAL\s+)?LANGUAGE\s+plpgsql\b/i,
    "server",
  ],
  [/^CREATE\s+(?:UNIQUE\s+)?INDEX\s/i, "post-data"],
  [/^ALTER\s+INDEX\s[\s\S]*\sATTACH\s+PARTITION\s/i, "post-data"],
  [/^ALTER\s+TABLE\s[^;]*?\sADD\s+CONSTRAINT\s/i, "post-data"],
  [
    /^ALTER\s+TABLE\s[^;]*?\s(?:CLUSTER\s+ON|REPLICA\s+IDENTITY|(?:ENABLE|DISABLE|FORCE)\s+(?:ALWAYS\s+|REPLICA\s+)?(?:TRIGGER|RULE|ROW\s+LEVEL))\b/i,
    "post-data",
  ],
  [/^CREATE\s+(?:OR\s+REPLACE\s+)?(?:CONSTRAINT\s+)?(?:TRIGGER|RULE|POLICY)\s/i, "post-data"],
  [/^CREATE\s+(?:PUBLICATION|STATISTICS)\s/i, "post-data"],
  [/^ALTER\s+PUBLICATION\s/i, "post-data"],
  [/^ALTER\s+(?:STATISTICS|INDEX)\s/i, "post-data"],
  [/^COMMENT\s+ON\s+(?:INDEX|TRIGGER|CONSTRAINT|POLICY|RULE|STATISTICS)\s/i, "post-data"],
  [/^REFRESH\s+MATERIALIZED\s+VIEW\s/i, "post-data"],
];

export function kindOf(statement: string): StatementKind {
  return KINDS.find(([pattern]) => pattern.test(statement))?.[1] ?? "plain";
}

/** What a statement makes, for messages: `index orders_pkey`, `function public.f`. */
export function subjectOf(statement: string): string {
  const words = statement.slice(0, 300).replace(/\s+/g, " ");
  const made =
    /^(?:CREATE|ALTER|COMMENT ON|REFRESH|DROP)(?: OR REPLACE)?((?: [A-Z]+)+)(?: IF NOT EXISTS| ONLY| CONCURRENTLY)*( [^\s(;]+)/.exec(
      words,
    );
  if (made !== null) {
    const kind = (made[1] ?? "").replace(
      / (?:UNIQUE|UNLOGGED|TEMPORARY|ONLY|CONSTRAINT(?= TRIGGER))\b/g,
      "",
    );
    return `${kind.trim().toLowerCase()}${made[2]?.replaceAll('"', "")}`;
  }
  const copied = /^COPY ((?:"[^"]+"|[^\s("]+)+)/i.exec(words)?.[1];
  if (copied !== undefined) return `table ${copied.replaceAll('"', "")}`;
  const into = /^INSERT INTO ((?:"[^"]+"|[^\s("]+)+)/i.exec(words)?.[1];
  if (into !== undefined) return `table ${into.replaceAll('"', "")}`;
  return `statement ${words.length > 60 ? `${words.slice(0, 60)}…` : words}`;
}

/** `CREATE EXTENSION`'s name and schema; undefined for another statement. */
export function extensionOf(
  statement: string,
): { readonly name: string; readonly schema: string | undefined } | undefined {
  const found = new RegExp(
    `^CREATE\\s+EXTENSION\\s+(?:IF\\s+NOT\\s+EXISTS\\s+)?(${NAME}|'[^']+')(?:\\s+WITH)?(?:\\s+SCHEMA\\s+(${NAME}))?`,
    "i",
  ).exec(statement);
  if (found === null) return undefined;
  const [, name = "", schema] = found;
  return { name: nameOf(name), schema: schema === undefined ? undefined : nameOf(schema) };
}

const ROLE_PLACES: readonly RegExp[] = [
  new RegExp(`\\bOWNER\\s+TO\\s+(${NAME})\\s*;$`, "i"),
  new RegExp(`^ALTER\\s+DEFAULT\\s+PRIVILEGES\\s+FOR\\s+(?:ROLE|USER)\\s+(${NAME})`, "i"),
  new RegExp(`^CREATE\\s+SCHEMA\\s[\\s\\S]*\\bAUTHORIZATION\\s+(${NAME})`, "i"),
  new RegExp(`^(?:CREATE|ALTER)\\s+USER\\s+MAPPING\\s[\\s\\S]*?\\bFOR\\s+(${NAME})`, "i"),
  new RegExp(`^(?:CREATE|ALTER)\\s+(?:ROLE|USER|GROUP)\\s+(${NAME})`, "i"),
  new RegExp(`^SET\\s+(?:SESSION\\s+AUTHORIZATION|ROLE)\\s+(${NAME}|'[^']+')`, "i"),
];
const LIST = `${NAME}(?:\\s*,\\s*${NAME})*`;
const ROLE_LISTS: readonly RegExp[] = [
  new RegExp(
    `^(?:GRANT|REVOKE|ALTER\\s+DEFAULT\\s+PRIVILEGES)\\s[\\s\\S]*\\s(?:TO|FROM)\\s+(?:GROUP\\s+)?(${LIST})(?:\\s+WITH\\s+GRANT\\s+OPTION)?(?:\\s+GRANTED\\s+BY\\s+${NAME})?(?:\\s+CASCADE)?\\s*;$`,
    "i",
  ),
  new RegExp(`^CREATE\\s+POLICY\\s[\\s\\S]*?\\sTO\\s+(${LIST})`, "i"),
];
const NO_ROLES = new Set([
  "public",
  "current_user",
  "current_role",
  "session_user",
  "default",
  "mapping",
  "none",
]);

/** The roles that must be there for a statement to succeed. */
export function rolesIn(statement: string): string[] {
  if (!/^(?:ALTER|CREATE|GRANT|REVOKE|SET)\s/i.test(statement)) return [];
  const names = [
    ...ROLE_PLACES.flatMap((pattern) => pattern.exec(statement)?.[1] ?? []),
    ...ROLE_LISTS.flatMap(
      (pattern) => pattern.exec(statement)?.[1]?.match(new RegExp(NAME, "g")) ?? [],
    ),
  ];
  return names
    .filter((name) => !NO_ROLES.has(name.toLowerCase()))
    .map(nameOf)
    .filter((name) => !name.startsWith("pg_"));
}

/** What an identifier as SQL writes it names. */
function nameOf(written: string): string {
  if (written.startsWith('"')) return written.slice(1, -1).replaceAll('""', '"');
  return written.startsWith("'") ? written.slice(1, -1) : written.toLowerCase();
}
