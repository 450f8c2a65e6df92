import { UserError } from "../failure/index.ts";

/** The server refused a statement. */
export class SqlFailed extends UserError {
  /** Five characters, as the manual's appendix of error codes has them: `42501`. */
  readonly sqlstate: string;
  /** The server's own words, without severity and code. */
  readonly said: string;

  constructor(sqlstate: string, said: string, subject: string) {
    super({
      title: "PostgreSQL refused a statement",
      cause: `${subject} answered: ${said.replace(/\.$/, "")} (SQLSTATE ${sqlstate}).`,
      remedy: remedyOf(sqlstate),
    });
    this.name = "SqlFailed";
    this.sqlstate = sqlstate;
    this.said = said;
  }
}

const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [/^42501$/, "Grant the role what it misses, or connect as another role."],
  [
    /^40001$/,
    "On a standby a conflict with what it replays ends queries: raise max_standby_streaming_delay, or connect to the primary.",
  ],
  [/^53100$/, "The server's disk is full: make room there."],
  [
    /^53/,
    "The server has run out of something: try again when it has less to do, or give it more.",
  ],
  [/^55P03$/, "Somebody holds a lock on it: try again when that is over."],
  [
    /^57014$/,
    "A time limit of the server or somebody ended the statement: see its settings and its log.",
  ],
  [
    /^57P0/,
    "The server was stopped, or somebody ended the connection: see its log, and run again.",
  ],
  [/^58/, "The server has trouble with its files: see its log."],
  [
    /^XX/,
    "The server reports that its own data are damaged or that it has a defect: see its log before anything else.",
  ],
  [
    /^72000$/,
    "The snapshot is too old: raise old_snapshot_threshold, or back up when less is written.",
  ],
];

function remedyOf(sqlstate: string): string {
  return (
    REMEDIES.find(([pattern]) => pattern.test(sqlstate))?.[1] ??
    "See the server's log for the statement and its context."
  );
}
