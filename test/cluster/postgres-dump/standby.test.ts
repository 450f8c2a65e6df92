import { chownSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "@jest/globals";
import { PostgresServer } from "../../servers/postgres.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { capturing, SHOP } from "./larder.ts";

it("a standby is backed up when it is current, and refused when its replay is paused", async () => {
  const bin = (await resolveEndpoints(["postgres"])).postgres?.["16"] ?? "";
  await using primary = await PostgresServer.start(bin, { tcp: true });
  primary.query("CREATE DATABASE shop");
  primary.query(SHOP, "shop");
  primary.query("DROP TABLE app.passing", "shop");
  const data = join(primary.folder, "copy");
  primary.run("pg_basebackup", ["-R", "-c", "fast", "-D", data, "-d", primary.tcpUrl()]);
  for (const file of own(data)) chownSync(file, 65_534, 65_534);
  await using standby = await PostgresServer.start(bin, { data });
  const isCurrent =
    "SELECT pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() AND EXISTS (SELECT FROM pg_stat_wal_receiver)";
  while (standby.query(isCurrent) !== "t");

  const { source, measures } = await capturing(standby).captured;
  expect(source.standby).toBe("yes");
  expect(measures.rows).toBe(60_503);

  primary.query("CREATE UNLOGGED TABLE app.passing (i int)", "shop");
  const arrived = "SELECT count(*) FROM pg_class WHERE relname = 'passing'";
  while (standby.query(arrived, "shop") !== "1");
  standby.query("SELECT pg_wal_replay_pause()");
  while (standby.query("SELECT pg_get_wal_replay_pause_state()") !== "paused");
  await expect(capturing(standby).captured).rejects.toMatchObject({
    cause: expect.stringMatching(/replay is paused.*app\.passing: it is unlogged/),
  });
}, 30_000);

function own(folder: string): readonly string[] {
  return [
    folder,
    ...readdirSync(folder, { recursive: true }).map((name) => join(folder, `${name}`)),
  ];
}
