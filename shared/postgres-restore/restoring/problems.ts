import type { Finding, Tier } from "../../proof/index.ts";

/** Something that the server or pg_restore did not do. */
export interface Problem {
  /** `table public.orders`, `function f`; what it was about. */
  readonly subject: string;
  /** The server's words, in one line, without "ERROR:". */
  readonly said: string;
  /** Where in the dump: `line 120`, `TOC entry 215`. */
  readonly where: string;
  /** The beginning of the statement, where it is known. */
  readonly statement?: string | undefined;
}

/** What only those try who want to get out of the database, in the server's words. */
const OUTWARD: readonly (readonly [RegExp, string])[] = [
  [
    /pg_execute_server_program|COPY to or from an external program/i,
    "runs a program on the server",
  ],
  [
    /pg_(?:read|write)_server_files|permission denied to COPY (?:to|from) a file|COPY to or from a file/i,
    "reads or writes a file of the server",
  ],
  [/SQL statement ".*\bCOPY\b.*\bPROGRAM\b/i, "runs a program on the server"],
  [
    /permission denied for function (?:pg_read_|pg_ls_|pg_stat_file|pg_file_|pg_logdir|lo_import|lo_export)/i,
    "reads or writes a file of the server",
  ],
  [
    /permission denied for function (?:pg_reload_conf|pg_rotate_logfile|pg_promote|pg_switch_wal|pg_terminate|pg_create_restore_point|pg_backup|pg_create_\w*_slot|binary_upgrade|pg_replication_origin)/i,
    "takes hold of the server",
  ],
  [
    /could not (?:establish connection|connect to server)|password (?:or GSSAPI delegated credentials )?(?:is )?required|Network is unreachable/i,
    "connects to another server",
  ],
  [
    /permission denied to (?:set parameter|set session authorization|set role)|must be superuser to (?:set|alter|load)|permission denied for table pg_(?:authid|shadow)|access to library .* is not allowed/i,
    "takes the rights of a superuser",
  ],
];

/** What needs a superuser by its nature; honest dumps of a superuser's work have it too. */
const SUPERUSER_ONLY =
  /must be superuser|permission denied for language|permission denied to create|Must be superuser|only superuser can|superuser-only|aggregate transition data type cannot be internal|^must be owner of type \S+ or type /i;

/** Refused to whoever gives or takes privileges on something of the server's or an extension's own. */
const OF_THE_SERVER = /^permission denied for (?!(?:schema|database|tablespace) )/i;

/** What says nothing of the backup: the dump's settings and the server's own belongings. */
const HARMLESS: readonly RegExp[] = [
  /^unrecognized configuration parameter "(?:transaction_timeout|idle_session_timeout|default_table_access_method|default_with_oids|xmloption|row_security|idle_in_transaction_session_timeout|lock_timeout)"/,
  /^schema "public" already exists/,
  /^language "plpgsql" already exists/,
  /^must be owner of (?:extension|language) /,
  /^role ".*" already exists/,
  /^(?:table|index|sequence|view|schema|constraint|function|type) ".*" does not exist, skipping/,
];

/** The finding that a problem is. */
export function findingOf(problem: Problem, tier: Tier): Finding {
  const { subject, said, where, statement = "" } = problem;
  const sentence = said.replace(/\.$/, "");
  if (/^(?:GRANT|REVOKE)\s/i.test(statement) && OF_THE_SERVER.test(said)) {
    return {
      detector: "not-restored",
      tier,
      weight: "note",
      subject,
      what: `Privileges on what belongs to the server itself or to an extension were not restored, for that needs a superuser: ${sentence}.`,
    };
  }
  const outward = OUTWARD.find(([pattern]) => pattern.test(said))?.[1];
  if (outward !== undefined) {
    return {
      detector: "hostile",
      tier,
      weight: "damage",
      subject,
      what: `At ${where} the dump ${outward} while it is restored, which was refused: ${sentence}.`,
    };
  }
  if (HARMLESS.some((pattern) => pattern.test(said))) {
    return {
      detector: "restore",
      tier,
      weight: "note",
      subject,
      what: `At ${where}: ${sentence}.`,
    };
  }
  if (SUPERUSER_ONLY.test(said)) {
    return {
      detector: "not-restored",
      tier,
      weight: "doubt",
      subject,
      what: `Not restored, for it needs a superuser and could run code of the dump as one: ${sentence}.`,
    };
  }
  return {
    detector: "restore",
    tier,
    weight: "damage",
    subject,
    what: `The restore failed at ${where}: ${sentence}.`,
  };
}
