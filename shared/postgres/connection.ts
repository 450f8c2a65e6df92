/** How a server is reached from a place, in the terms of libpq. */
export interface Connection {
  /** For messages: `database papers of db.example:5432`. No secrets. */
  readonly subject: string;
  /** libpq's connection string, a URL or keywords, without passwords. May be empty. */
  readonly conninfo: string;
  /** PG* variables that hold there, the password among them. */
  readonly environment: Readonly<Record<string, string>>;
}

const CONNECT_TIMEOUT_S = "15";

/** The environment of a client program for it. */
export function environmentOf({ environment }: Connection): Readonly<Record<string, string>> {
  return {
    PGCONNECT_TIMEOUT: CONNECT_TIMEOUT_S,
    PGAPPNAME: "seaworthy",
    PGCLIENTENCODING: "UTF8",
    // What they say is read.
    LC_ALL: "C",
    LC_MESSAGES: "C",
    ...environment,
  };
}
