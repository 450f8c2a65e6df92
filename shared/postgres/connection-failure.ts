import { UserError } from "../failure/index.ts";
import type { Connection } from "./connection.ts";

export interface LostConnection {
  readonly connection: Connection;
  /** Where the client ran. */
  readonly place: string;
  /** What the client wrote, redacted. */
  readonly stderr: string;
  /** Whether there had been a connection. */
  readonly connected: boolean;
}

interface Reason {
  readonly pattern: RegExp;
  readonly title: string;
  readonly remedy: string;
}

/** By the words of libpq and of the server, with messages in English; the first that fits. */
const REASONS: readonly Reason[] = [
  {
    pattern: /password authentication failed|no password supplied|empty password|invalid password/i,
    title: "PostgreSQL does not accept the password",
    remedy:
      "Check user and password, and whether it has expired (VALID UNTIL, of which the server tells nobody); give it by the URL, PGPASSWORD or a password file. In a URL, characters such as @ / : # must be written as %40 %2F %3A %23.",
  },
  {
    pattern: /no pg_hba\.conf entry|pg_hba\.conf rejects/i,
    title: "PostgreSQL lets nobody in from here",
    remedy:
      "Add a line for this user, database and address to the server's pg_hba.conf, or connect from where one holds; a server that wants TLS says so here too (sslmode=require).",
  },
  {
    pattern: /peer authentication failed|ident authentication failed|authentication failed|GSSAPI/i,
    title: "PostgreSQL does not accept the user",
    remedy: "Connect as the user that the server's pg_hba.conf knows here, or with a password.",
  },
  {
    pattern: /role "[^"]*" does not exist|role "[^"]*" is not permitted to log in/i,
    title: "PostgreSQL does not know the user",
    remedy: "Check the user's name, or create the role with LOGIN.",
  },
  {
    pattern: /database "[^"]*" does not exist|no such database/i,
    title: "There is no such database",
    remedy: "Check the database's name; psql -l lists those that there are.",
  },
  {
    pattern:
      /too many clients|remaining connection slots|too many connections|no more connections allowed/i,
    title: "PostgreSQL has no connection left",
    remedy:
      "Try again when fewer clients are connected, raise max_connections or the role's connection limit, or lower the number of parallel jobs.",
  },
  {
    pattern: /could not translate host name|Name or service not known|nodename nor servname/i,
    title: "The name of the database server is unknown",
    remedy:
      "Check the host's name, and whether this machine can resolve it: names of Services resolve within a cluster only.",
  },
  {
    pattern: /server does not support SSL|SSL error|certificate|sslmode|SSL connection/i,
    title: "No TLS connection to PostgreSQL",
    remedy:
      "Check sslmode and sslrootcert: verify-full needs the authority's certificate and the name that the certificate is for; a server without TLS needs sslmode=disable.",
  },
  {
    pattern:
      /the database system is (starting up|shutting down|in recovery mode|not yet accepting)|consistent recovery state/i,
    title: "PostgreSQL is not ready",
    remedy: "Wait until it has started, and run again; its log tells what it is doing.",
  },
  {
    pattern: /Connection refused|No such file or directory|Is the server running/i,
    title: "No PostgreSQL server answers",
    remedy: "Check host and port, and that the server runs and listens there.",
  },
  {
    pattern: /timeout expired|timed out|No route to host|Network is unreachable/i,
    title: "PostgreSQL cannot be reached",
    remedy: "Check address, firewalls and network policies between here and the server.",
  },
  {
    pattern: /definition of service|service file/i,
    title: "The service of the connection is unknown",
    remedy: "Check the service's name and that the service file (PGSERVICEFILE) holds it.",
  },
  {
    pattern: /unsupported startup parameter|pgbouncer/i,
    title: "A connection pooler does not pass on what is needed",
    remedy: "Connect to the server itself, past the pooler.",
  },
  {
    pattern:
      /invalid (connection option|URI|port|integer value)|missing "="|unexpected character|invalid percent-encoded/i,
    title: "The connection's settings cannot be read",
    remedy:
      "Compare them with libpq's connection strings; in a URL, special characters are written as %XX.",
  },
];

/** Why there is no connection, or none any more, and what to do. */
export function connectionFailure(lost: LostConnection): UserError {
  const { connection, place, stderr, connected } = lost;
  const words = wordsOf(stderr);
  const evidence = stderr.trim() === "" ? {} : { evidence: stderr.trim() };
  if (connected) {
    return new UserError({
      title: "The connection to PostgreSQL broke",
      cause: `The connection from ${place} to ${connection.subject} was lost in the middle${words === "" ? "" : `: ${words}`}.`,
      remedy:
        "See the server's log: it may have been stopped, have crashed, or somebody ended the connection. Run again when it is well.",
      ...evidence,
    });
  }
  const reason = REASONS.find(({ pattern }) => pattern.test(stderr));
  return new UserError({
    title: reason?.title ?? "No connection to PostgreSQL",
    cause: `${capital(place)} did not get a connection to ${connection.subject}: ${words || "psql ended without saying why"}.`,
    remedy: reason?.remedy ?? "Check the connection's settings, and the server's log.",
    ...evidence,
  });
}

/** The last thing that a client said, without the program's name. */
function wordsOf(stderr: string): string {
  const lines = stderr
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const telling =
    lines.findLast((line) => /FATAL|PANIC/.test(line)) ??
    lines.findLast((line) => /error|could not|failed|lost|closed/i.test(line));
  return (telling ?? lines.at(-1) ?? "")
    .replace(/^(psql|pg_dump|pg_dumpall|pg_restore): (error: )?/, "")
    .replace(/\.$/, "");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
