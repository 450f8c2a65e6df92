import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { parseUrl, withParameters } from "../../../shared/postgres/conninfo.ts";
import { connectionFrom } from "../../../shared/postgres/reach.ts";
import { Secrets } from "../../../shared/secrets/index.ts";

describe("a database's URL", () => {
  it.each([
    [
      "postgres://me:s3cret@db.example:5433/papers?sslmode=require",
      "postgres://me@db.example:5433/papers?sslmode=require",
      "s3cret",
      "db.example:5433",
      "papers",
    ],
    [
      "postgresql://me:p%40ss%2F@a,b:5433/papers?target_session_attrs=primary",
      "postgresql://me@a,b:5433/papers?target_session_attrs=primary",
      "p@ss/",
      "a,b:5433",
      "papers",
    ],
    ["postgres://db/papers", "postgres://db/papers", undefined, "db", "papers"],
    [
      "postgres:///papers?host=/run/pg&password=geheim",
      "postgres:///papers?host=/run/pg",
      "geheim",
      "/run/pg",
      "papers",
    ],
    ["postgres://[::1]:5433/x", "postgres://[::1]:5433/x", undefined, "[::1]:5433", "x"],
    ["postgres://me@h/?dbname=x", "postgres://me@h/?dbname=x", undefined, "h", "x"],
    ["postgres://me:@h/x", "postgres://me@h/x", "", "h", "x"],
  ])("%s keeps all but its password", (url, conninfo, password, hosts, database) => {
    expect(parseUrl(url)).toMatchObject({ conninfo, password, hosts, database });
  });

  it.each([
    ["mysql://h/x", /does not begin with postgres/],
    ["postgres://me:p@ss@h/x", /an @ stands where none can be/],
    ["postgres://me:p/ss@h/x", /an @ stands where none can be/],
    ["postgres://me:p?ss@h/x", /an @ stands where none can be/],
    ["postgres://me:100%@h/x", /% in it is not followed/],
    ["postgres://h/x?sslpassword=abc", /sslpassword/],
  ])("%s is refused", (url, cause) => {
    expect(() => parseUrl(url)).toThrow(cause);
  });

  it("never leaves a password in what is passed on, whatever is in it", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 12, unit: "grapheme" }), (password) => {
        const { conninfo, password: read } = parseUrl(
          `postgres://me:${encodeURIComponent(password)}@h/x`,
        );
        expect(read).toBe(password);
        expect(conninfo).toBe("postgres://me@h/x");
      }),
    );
  });
});

describe("parameters", () => {
  it.each([
    ["postgres://h/x", "postgres://h/x?user=a%20b"],
    ["postgres://h/x?sslmode=require", "postgres://h/x?sslmode=require&user=a%20b"],
    ["", "user='a b'"],
    ["service='s'", "service='s' user='a b'"],
  ])("are added to %j", (conninfo, expected) => {
    expect(withParameters(conninfo, { user: "a b", dbname: undefined })).toBe(expected);
  });

  it("are quoted as libpq reads them", () => {
    expect(withParameters("", { dbname: "it's \\ x" })).toBe("dbname='it\\'s \\\\ x'");
  });
});

describe("a connection", () => {
  const secrets = new Secrets();

  it("of a service names its file in the environment", () => {
    const settings = { service: "papers", serviceFile: "/etc/pg.conf", password: "abcdefgh" };
    expect(connectionFrom(settings, { environment: {}, secrets })).toEqual({
      subject: "the database of service papers",
      conninfo: "service='papers'",
      environment: { PGSERVICEFILE: "/etc/pg.conf", PGPASSWORD: "abcdefgh" },
    });
    expect(secrets.redact("abcdefgh")).toBe("***");
  });

  it("of PG* variables alone leaves them to libpq", () => {
    const environment = { PGHOST: "db", PGPORT: "5433", PGDATABASE: "x", PGPASSWORD: "wxyzwxyz" };
    expect(connectionFrom({}, { environment, secrets })).toEqual({
      subject: "database x of db:5433",
      conninfo: "",
      environment: {},
    });
    expect(secrets.redact("wxyzwxyz")).toBe("***");
  });

  it("of a URL goes to the database and as the user that were said beside it", () => {
    const settings = { url: "postgres://a:b@h/x", database: "y", user: "c" };
    expect(connectionFrom(settings, { environment: {}, secrets })).toEqual({
      subject: "database y of h",
      conninfo: "postgres://a@h/x?dbname=y&user=c",
      environment: { PGPASSWORD: "b" },
    });
  });
});
