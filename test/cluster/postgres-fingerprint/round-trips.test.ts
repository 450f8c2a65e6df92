import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "@jest/globals";
import {
  compareFingerprints,
  type PostgresFingerprint,
} from "../../../shared/postgres-fingerprint/index.ts";
import type { Tier } from "../../../shared/proof/index.ts";
import { PostgresServer } from "../../servers/postgres.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { fingerprintOf, makeRich, makeRoles } from "./databases.ts";

let programs: Readonly<Record<string, string>>;

beforeAll(async () => {
  programs = (await resolveEndpoints(["postgres"])).postgres;
});

async function serverOf(major: string): Promise<PostgresServer> {
  const server = await PostgresServer.start(programs[major] ?? "");
  makeRoles(server);
  return server;
}

/** Dumps a database with the programs of the server that takes it, and restores it there. */
function carryOver(from: PostgresServer, to: PostgresServer, sections: readonly string[] = []) {
  const file = `${to.folder}/dump`;
  to.run("pg_dump", ["-Fc", "-d", from.url("rich"), "-f", file]);
  to.query("DROP DATABASE IF EXISTS back");
  to.query("CREATE DATABASE back TEMPLATE template0");
  to.run("pg_restore", ["--exit-on-error", ...sections, "-d", to.url("back"), file]);
}

async function compared(to: PostgresServer, expected: PostgresFingerprint, tier: Tier) {
  const found = await fingerprintOf(to, "back", { like: expected });
  return compareFingerprints(expected, found, { tier });
}

// The others are in the chain below.
test.each(["14", "16", "18"])(
  "dumped and restored by PostgreSQL %s: all is the same",
  async (major) => {
    await using server = await serverOf(major);
    makeRich(server, "rich");
    const newest = join(import.meta.dirname, "eighteen.sql");
    if (major === "18") server.query(readFileSync(newest, "utf8"), "rich");
    const expected = await fingerprintOf(server, "rich");
    carryOver(server, server);
    const whole = await compared(server, expected, "full");
    expect(whole.findings).toEqual([]);
    const uncertain = whole.items.filter(({ same }) => same !== true).map(({ name }) => name);
    expect(uncertain).toEqual(["shop.unfilled"]);

    carryOver(server, server, ["--section=pre-data", "--section=data"]);
    const data = await compared(server, expected, "data");
    expect(data.findings).toEqual([]);
    expect(data.unknown[0]).toMatch(
      /^This tier .*: constraint \d+, .*, index \d+, .*trigger \d+, view 1\.$/,
    );
    // The same without the excuse that the tier gives.
    const pretended = await compared(server, expected, "full");
    expect(pretended.findings.filter(({ weight }) => weight === "damage").length).toBeGreaterThan(
      50,
    );
  },
  60_000,
);

test("carried from 14 over every major to 18: nothing but notes", async () => {
  let from = await serverOf("14");
  makeRich(from, "rich", false);
  const first = await fingerprintOf(from, "rich");
  let expected = first;
  for (const major of ["15", "16", "17", "18"]) {
    const to = await serverOf(major);
    carryOver(from, to);
    const { findings } = await compared(to, expected, "full");
    expect(findings.filter(({ weight }) => weight !== "note")).toEqual([]);
    to.query("ALTER DATABASE back RENAME TO rich");
    await from[Symbol.asyncDispose]();
    from = to;
    expected = await fingerprintOf(to, "rich");
  }
  const { findings } = compareFingerprints(
    first,
    await fingerprintOf(from, "rich", { like: first }),
    {
      tier: "full",
    },
  );
  await from[Symbol.asyncDispose]();
  expect(findings.map(({ weight, subject }) => `${weight} ${subject}`)).toEqual([
    "note server",
    "note extension citext",
  ]);
}, 60_000);
