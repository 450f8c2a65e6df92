import { describe, expect, it } from "@jest/globals";
import { connectionFailure } from "../../../shared/postgres/connection-failure.ts";

const connection = { subject: "database x of db:5432", conninfo: "", environment: {} };
const failed = (stderr: string, connected = false) =>
  connectionFailure({ connection, place: "this machine", stderr, connected });

/** What psql 14 to 18 wrote. */
describe("a connection that fails", () => {
  it.each([
    ['FATAL:  password authentication failed for user "me"', "does not accept the password"],
    ["fe_sendauth: no password supplied", "does not accept the password"],
    ['FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "me"', "lets nobody in"],
    ['FATAL:  Peer authentication failed for user "me"', "does not accept the user"],
    ['FATAL:  role "me" does not exist', "does not know the user"],
    ['FATAL:  database "x" does not exist', "no such database"],
    ["FATAL:  sorry, too many clients already", "no connection left"],
    ["FATAL:  remaining connection slots are reserved for roles with", "no connection left"],
    ['could not translate host name "db" to address: Name or service not known', "is unknown"],
    ["server does not support SSL, but SSL was required", "No TLS"],
    ["SSL error: certificate verify failed", "No TLS"],
    ["FATAL:  the database system is starting up", "not ready"],
    ["Connection refused\n\tIs the server running on that host", "No PostgreSQL server answers"],
    ["connection to server at 10.0.0.1 failed: timeout expired", "cannot be reached"],
    ['definition of service "x" not found', "service of the connection"],
    ["FATAL:  unsupported startup parameter: extra_float_digits", "pooler"],
    ['invalid connection option "foo"', "cannot be read"],
    ["something else", "No connection to PostgreSQL"],
  ])("%s", (words, title) => {
    const error = failed(`psql: error: connection to server at "db" failed: ${words}\n`);
    expect(error.title).toContain(title);
    expect(error.cause).toContain("did not get a connection to database x of db:5432");
    expect(error.remedy).not.toBe("");
  });

  it("in the middle is told by what the server said last", () => {
    const error = failed(
      "FATAL:  terminating connection due to administrator command\nserver closed the connection unexpectedly\n",
      true,
    );
    expect(error.title).toBe("The connection to PostgreSQL broke");
    expect(error.cause).toContain("terminating connection due to administrator command");
  });
});
