import { expect, it, jest } from "@jest/globals";
import { bundleOf, Runner, runStep } from "../../runner/index.ts";
import { PostgresServer } from "../../servers/postgres.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { ProgramsWithExtension } from "./extension.ts";

jest.setTimeout(120_000);

const SOURCE = `
CREATE EXTENSION places;
INSERT INTO systems VALUES (900913, 'ours'), (900914, 'ours too');
INSERT INTO jobs (what) SELECT 'job ' || i FROM generate_series(1, 7) i;
CREATE ROLE app; GRANT INSERT ON jobs TO app;
CREATE TABLE shops (id int PRIMARY KEY);
`;

it("rows that users wrote into an extension's tables are proven, and missed where they are gone", async () => {
  const { postgres } = await resolveEndpoints(["postgres-17"]);
  using programs = new ProgramsWithExtension(postgres["17"] ?? "");
  await using server = await PostgresServer.start(programs.bin);
  await using runner = await Runner.create();
  server.query("CREATE DATABASE places");
  server.query(SOURCE, "places");
  const common = { name: "places", storage: "kept", "postgres-bin": programs.bin };
  const source = server.url("places");
  const made = await runStep(bundleOf("backup-database"), {
    ...{ runner, inputs: { ...common, source, format: "plain", compression: "none" } },
  });
  // Two of users' systems, seven jobs; those that come with the extension do not count.
  expect(JSON.parse(made.outputs.measures ?? "{}")).toMatchObject({ rows: 9, tables: 3 });
  const verify = (more: Record<string, string>) =>
    runStep(bundleOf("verify-backup"), {
      ...{ runner, inputs: { ...common, server: "local", tier: "full", record: "false", ...more } },
    });
  const whole = await verify({});
  expect({ cause: whole.outputs.cause, tier: whole.outputs.tier }).toEqual({
    cause: "",
    tier: "full",
  });

  server.run("psql", ["-d", source, "-c", "DELETE FROM systems WHERE srid = 900914"]);
  await runner.write("others/places.sql", server.run("pg_dump", ["-d", source]));
  server.run("psql", [
    "-d",
    source,
    "-c",
    "INSERT INTO systems SELECT i, 'x' FROM generate_series(900914, 900999) i",
  ]);
  const short = await verify({
    storage: "others",
    name: "",
    pattern: "*.sql",
    "live-source": source,
  });
  expect(short.outputs.cause).toContain("public.systems");
});
