import type { Weight } from "../proof/index.ts";
import { copyTargetOf } from "./copy-statement.ts";
import type { Statement } from "./sql-listener.ts";

/** Something in a dump that does more than put tables back. */
export interface Hostility {
  readonly weight: Weight;
  readonly what: string;
}

/** Names that read or write the server's files, run programs, or end other sessions. */
const REACHING =
  /\b(pg_read_(?:binary_)?file|pg_ls_\w+|pg_stat_file|pg_file_\w+|lo_import|lo_export|dblink\w*|pg_execute_server_program|pg_terminate_backend|pg_reload_conf|pg_rotate_logfile|pg_logdir_ls|query_to_xml\w*|database_to_xml\w*|pg_sleep\w*|set_config\s*\(\s*'(?:log_|archive|session_preload|local_preload)\w*)\b/i;
/** Languages whose functions can do whatever the server's own user may. */
const UNTRUSTED =
  /\bLANGUAGE\s+'?"?(c|internal|plpython3?u|plpython2u|plperlu|pltclu|plsh|pljavau|plr|plv8u)"?'?(?=[\s;]|$)/i;
/** What a database's owner can create without being a superuser. */
const TRUSTED_EXTENSIONS = new Set(
  "btree_gin btree_gist bool_plperl citext cube dict_int fuzzystrmatch hstore intarray isn jsonb_plperl lo ltree pgcrypto pg_trgm plperl plpgsql pltcl seg tablefunc tcn tsm_system_rows tsm_system_time unaccent uuid-ossp vector".split(
    " ",
  ),
);

/**
 * What a statement would do beside putting back what was there. Doubts are what no pg_dump writes;
 * notes are what it writes too, and what needs trust.
 */
export function hostilityOf(statement: Statement): Hostility[] {
  const { code } = statement;
  const first = /^[A-Za-z]+/.exec(code)?.[0]?.toUpperCase() ?? "";
  const rule = RULES[first];
  const found = rule === undefined ? [] : rule(statement, code);
  const variable = VARIABLE.exec(code);
  if (variable !== null) {
    found.push(doubt(`has psql put a variable of its own into it (${variable[0].slice(1)})`));
  }
  if (statement.cut && first !== "INSERT") {
    found.push({ weight: "note", what: "is longer than can be looked at whole" });
  }
  return found;
}

/** Those that psql sets itself; in a dump they could only smuggle text in. */
const VARIABLE =
  /(?<!:):(?:''|[{"?]*(?:LAST_ERROR_MESSAGE|LAST_ERROR_SQLSTATE|DBNAME|USER|HOST|PORT|ENCODING|PROMPT[123]|VERSION\w*|SERVER_VERSION_\w+|SQLSTATE|ERROR|ROW_COUNT|HISTFILE|COMP_KEYWORD_CASE|FETCH_COUNT|AUTOCOMMIT|SHELL_\w+)\b)/;

type Rule = (statement: Statement, code: string) => Hostility[];

const RULES: Readonly<Record<string, Rule>> = {
  COPY: (statement, code) => copyHostility(statement, code),
  DO: (statement) => doHostility(statement),
  SELECT: (_statement, code) => queryHostility(code),
  WITH: (_statement, code) => queryHostility(code),
  VALUES: (_statement, code) => queryHostility(code),
  TABLE: (_statement, code) => queryHostility(code),
  INSERT: (_statement, code) => queryHostility(code),
  UPDATE: (_statement, code) => queryHostility(code),
  DELETE: (_statement, code) => queryHostility(code),
  CALL: (_statement, code) => queryHostility(code),
  EXECUTE: (_statement, code) => queryHostility(code),
  LOAD: (statement) => [doubt(`loads the library ${statement.strings[0] ?? ""} into the server`)],
  ALTER: (_statement, code) => alterHostility(code),
  CREATE: (statement, code) => createHostility(statement, code),
  GRANT: (_statement, code) => grantHostility(code),
  SET: (_statement, code) => setHostility(code),
};

function doubt(what: string): Hostility {
  return { weight: "doubt", what };
}

function note(what: string): Hostility {
  return { weight: "note", what };
}

function copyHostility(statement: Statement, code: string): Hostility[] {
  const target = statement.strings.at(-1) ?? statement.strings[0] ?? "";
  if (/\b(FROM|TO)\s+PROGRAM\b/i.test(code)) {
    return [doubt(`runs a program on the server: ${statement.strings[0] ?? target}`)];
  }
  if (copyTargetOf(code) !== undefined) return [];
  if (/\bFROM\s+(E?'|U&')/i.test(code)) {
    return [doubt(`reads a file of the server: ${statement.strings[0] ?? ""}`)];
  }
  if (/\bTO\s+(E?'|U&')/i.test(code)) {
    return [doubt(`writes a file of the server: ${statement.strings[0] ?? ""}`)];
  }
  if (/\bTO\b/i.test(code)) return [doubt("copies rows out instead of in")];
  return [doubt("is a COPY of a form that pg_dump does not write")];
}

function doHostility(statement: Statement): Hostility[] {
  const body = [...statement.bodies, ...statement.strings].join("\n");
  const reaching = REACHING.exec(body) ?? /\bCOPY\b[^;]*\bPROGRAM\b/i.exec(body);
  const language = UNTRUSTED.exec(statement.code);
  if (language !== null) return [doubt(`runs a block of ${language[1]}, which is not confined`)];
  if (reaching !== null) return [doubt(`runs a block that uses ${reaching[0].slice(0, 60)}`)];
  return [doubt("runs a block of code (DO), which pg_dump never writes")];
}

function queryHostility(code: string): Hostility[] {
  const reaching = REACHING.exec(code);
  if (reaching !== null) return [doubt(`calls ${reaching[0]}`)];
  if (/^SELECT\b/i.test(code) && !OF_PG_DUMP.test(code)) {
    return [note("is a query that pg_dump does not write")];
  }
  return [];
}

/** The only queries that pg_dump writes. */
const OF_PG_DUMP =
  /^SELECT\s+(\*\s+FROM\s+)?pg_catalog\.(set_config|setval|lo_create|lo_open|lo_close|lowrite|lo_unlink|lo_from_bytea|pg_extension_config_dump|pg_restore_relation_stats|pg_restore_attribute_stats|pg_restore_extended_stats|pg_clear_relation_stats|binary_upgrade_\w+|pg_logical_emit_message)\s*\(/i;

function alterHostility(code: string): Hostility[] {
  if (/^ALTER\s+SYSTEM\b/i.test(code))
    return [doubt("changes the configuration of the whole server (ALTER SYSTEM)")];
  if (/^ALTER\s+(ROLE|USER)\b.*\bSUPERUSER\b/i.test(code) && !/\bNOSUPERUSER\b/i.test(code)) {
    return [note("makes a role a superuser")];
  }
  if (
    /\bSET\s+(session_preload_libraries|local_preload_libraries|dynamic_library_path)\b/i.test(code)
  ) {
    return [doubt("has libraries loaded into every session")];
  }
  return [];
}

function setHostility(code: string): Hostility[] {
  if (
    /^SET\s+(SESSION\s+|LOCAL\s+)?(dynamic_library_path|session_preload_libraries|local_preload_libraries)\b/i.test(
      code,
    )
  ) {
    return [doubt("has libraries loaded")];
  }
  return [];
}

function createHostility(statement: Statement, code: string): Hostility[] {
  if (/^CREATE\s+EXTENSION\b/i.test(code)) return extensionHostility(code);
  if (/^CREATE\s+(OR\s+REPLACE\s+)?(FUNCTION|PROCEDURE)\b/i.test(code)) {
    return functionHostility(statement, code);
  }
  if (/^CREATE\s+(OR\s+REPLACE\s+)?(TRUSTED\s+)?(PROCEDURAL\s+)?LANGUAGE\b/i.test(code)) {
    return /\bHANDLER\b/i.test(code) ? [note("creates a language with a handler of its own")] : [];
  }
  if (/^CREATE\s+EVENT\s+TRIGGER\b/i.test(code)) {
    return [note("creates an event trigger, which acts on what others do")];
  }
  if (/^CREATE\s+(SUBSCRIPTION|SERVER|USER\s+MAPPING)\b/i.test(code)) {
    return [note("connects to another server once it is used")];
  }
  if (/^CREATE\s+(ROLE|USER)\b.*\sSUPERUSER\b/i.test(code)) return [note("creates a superuser")];
  return [];
}

function extensionHostility(code: string): Hostility[] {
  const name = /^CREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?("[^"]+"|[\w-]+)/i.exec(code)?.[1];
  const plain = name?.replaceAll('"', "") ?? "";
  if (TRUSTED_EXTENSIONS.has(plain)) return [];
  return [note(`creates the extension ${plain}, which only a superuser can`)];
}

function functionHostility(statement: Statement, code: string): Hostility[] {
  const name = /^CREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE)\s+([^\s(]+)/i.exec(code)?.[1];
  // The language can be in quotes, whose content is not part of the code.
  const quotedLanguage = /\bLANGUAGE\s+''/i.test(code) ? statement.strings.join("' ") : "";
  const language = UNTRUSTED.exec(code)?.[1] ?? UNTRUSTED.exec(`LANGUAGE ${quotedLanguage} `)?.[1];
  const found: Hostility[] = [];
  if (language !== undefined) {
    const library = statement.strings.find((text) => text.includes("/"));
    const own = library !== undefined && !library.startsWith("$libdir/");
    found.push({
      weight: language.toLowerCase() === "c" && !own ? "note" : "doubt",
      what: `creates ${name} in ${language}, which can do whatever the server's user may${own ? `, from ${library}` : ""}`,
    });
  }
  if (/\bSECURITY\s+DEFINER\b/i.test(code)) {
    found.push(note(`creates ${name}, which runs with the rights of its owner (SECURITY DEFINER)`));
  }
  const body = [...statement.bodies, ...statement.strings].join("\n");
  const reaching = REACHING.exec(body) ?? /\bCOPY\b[^;]*\bPROGRAM\b/i.exec(body);
  if (reaching !== null) {
    found.push(
      note(`creates ${name}, whose body uses ${reaching[0].slice(0, 60).replace(/\s+/g, " ")}`),
    );
  }
  return found;
}

function grantHostility(code: string): Hostility[] {
  const role = /\b(pg_execute_server_program|pg_read_server_files|pg_write_server_files)\b/i.exec(
    code,
  );
  return role === null ? [] : [note(`gives ${role[1]} away`)];
}

/**
 * Why a command of psql has no place in a dump; undefined for those that pg_dump and pg_dumpall
 * write themselves.
 */
export function metaHostility(text: string): string | undefined {
  const command = text.trim();
  if (/^\\(un)?restrict [A-Za-z0-9]+$/.test(command)) return undefined;
  if (/^\\(connect|c)\b/.test(command)) return connectHostility(command);
  const name = /^\\\S*/.exec(command)?.[0] ?? "\\";
  const running =
    /^\\(!|copy|o|out|w|write|g|gx|e|edit|ef|ev|setenv|i|ir|include|include_relative|lo_import|lo_export|gexec|s|cd|watch)$/;
  if (/`|\\!|\|/.test(command) || running.test(name)) {
    return "runs programs or reads and writes files as the user of psql";
  }
  return "is a command of psql that pg_dump never writes";
}

/** A database by its name, or by `-reuse-previous=on "dbname='…'"`; nothing that leads elsewhere. */
function connectHostility(command: string): string | undefined {
  const rest = command.replace(/^\\(connect|c)\s*/, "");
  if (/[`:]/.test(rest)) return "connects to a database that the text of the dump computes";
  if (/^-reuse-previous=on "dbname='(?:[^'"\\]|\\\\.|""|\\')*'"$/.test(rest)) return undefined;
  if (/^("(?:[^"]|"")*"|[^\s"'=/\\]+)$/.test(rest) && !/=|:\/\//.test(rest)) return undefined;
  return "connects to another server, user or port";
}
