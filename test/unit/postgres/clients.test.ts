import { PassThrough } from "node:stream";
import { describe, expect, it } from "@jest/globals";
import { UserError } from "../../../shared/failure/index.ts";
import type { Place } from "../../../shared/place/index.ts";
import { candidatesFor, findClients, readVersion } from "../../../shared/postgres/clients.ts";
import { defaultsFrom } from "../../../shared/postgres/pod-defaults.ts";

const { signal } = new AbortController();

/** A machine that has nothing but some pg_dumps. */
function machine(versions: Readonly<Record<string, string>>): Place {
  return {
    name: "this machine",
    async start({ program }) {
      const version = versions[program];
      if (version === undefined) {
        throw new UserError({ title: "missing", cause: "missing", remedy: "" });
      }
      const stdout = new PassThrough();
      stdout.end(`pg_dump (PostgreSQL) ${version}\n`);
      const ended = Promise.resolve({ exitCode: 0, message: "", stderr: "" });
      return { stdin: new PassThrough(), stdout, ended, end() {} };
    },
  };
}

describe("client programs", () => {
  it.each([
    ["pg_dump (PostgreSQL) 16.4 (Debian 16.4-1.pgdg120+1)", "16.4"],
    ["pg_dump (PostgreSQL) 18beta1", "18beta1"],
    ["psql (PostgreSQL) 17", "17"],
    ["mysqldump  Ver 8", undefined],
  ])("%s", (said, version) => {
    expect(readVersion(said)).toBe(version);
  });

  it("of the server's own major go before newer ones on the PATH", async () => {
    const place = machine({ pg_dump: "17.2", "/usr/lib/postgresql/15/bin/pg_dump": "15.8" });
    await expect(findClients(place, 15, { signal })).resolves.toMatchObject({
      major: 15,
      psql: "/usr/lib/postgresql/15/bin/psql",
    });
  });

  it("of the nearest newer major do where there are no others", async () => {
    const place = machine({
      pg_dump: "14.1",
      "/usr/lib/postgresql/18/bin/pg_dump": "18.1",
      "/usr/lib/postgresql/17/bin/pg_dump": "17.2",
    });
    await expect(findClients(place, 16, { signal })).resolves.toMatchObject({ version: "17.2" });
  });

  it("that are too old are named", async () => {
    await expect(findClients(machine({ pg_dump: "14.1" }), 16, { signal })).rejects.toMatchObject({
      cause: expect.stringContaining("pg_dump is 14.1"),
      remedy: expect.stringContaining("postgresql-client-16"),
    });
  });

  it("are looked for nowhere else when their folder is named", () => {
    expect(candidatesFor(16, "/opt/pg")).toEqual(["/opt/pg"]);
  });
});

describe("a container's variables", () => {
  it.each([
    ["", { user: "postgres", database: undefined, password: undefined }],
    ["POSTGRES_USER=me\0POSTGRES_DB=x\0", { user: "me", database: "x", password: undefined }],
    [
      "PGUSER=own\0POSTGRES_USER=me\0PGPASSWORD=a=b\nc\0POSTGRES_PASSWORD=other\0",
      { user: "own", database: undefined, password: "a=b\nc" },
    ],
    [
      "POSTGRESQL_USERNAME=b\0POSTGRESQL_DATABASE=d\0POSTGRESQL_PASSWORD=p\0",
      { user: "b", database: "d", password: "p" },
    ],
  ])("%j", (printed, expected) => {
    expect(defaultsFrom(printed)).toEqual(expected);
  });
});
