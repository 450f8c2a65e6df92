import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { alarmsOf, ProvingGround } from "./proving-ground.ts";

let ground: ProvingGround;
let witness: string;

beforeAll(async () => {
  ground = await ProvingGround.open("16");
  chmodSync(ground.folder, 0o711);
  witness = ground.path("witness");
  mkdirSync(witness);
  // Whoever can write at all can write here.
  chmodSync(witness, 0o777);
}, 60_000);

afterAll(async () => {
  await ground?.[Symbol.asyncDispose]();
});

const HEAD = "--\n-- PostgreSQL database dump\n--\n\nCREATE TABLE public.t (a integer, b text);\n";
const END = "\n--\n-- PostgreSQL database dump complete\n--\n";

describe("a dump that means harm does none, and is told by what it tried", () => {
  test("commands of psql, programs, files, code with the owner's rights, other servers", async () => {
    let calls = 0;
    const listener = createServer((socket) => {
      calls += 1;
      socket.destroy();
    }).listen(0, "127.0.0.1");
    await once(listener, "listening");
    const { port } = listener.address() as AddressInfo;
    const path = ground.write(
      "hostile.sql",
      `${HEAD}\\! touch ${witness}/1
COPY public.missing (a) FROM stdin;
\\! touch ${witness}/2
\\.
COPY public.t (a, b) FROM stdin;
1	x
\\.
COPY public.t FROM PROGRAM 'touch ${witness}/3; echo 1';
COPY public.t TO '${witness}/4';
SELECT lo_export(1, '${witness}/5');
DO $$ BEGIN PERFORM pg_read_file('/etc/passwd'); END $$;
CREATE FUNCTION public.evil(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE SECURITY DEFINER AS $$
BEGIN EXECUTE 'COPY public.t TO PROGRAM ''touch ${witness}/6'''; RETURN 1; END $$;
ALTER FUNCTION public.evil(integer) OWNER TO postgres;
CREATE INDEX evil ON public.t (public.evil(a));
CREATE FUNCTION public.c() RETURNS integer LANGUAGE c AS '${witness}/evil', 'f';
CREATE EXTENSION dblink;
SELECT dblink_connect('host=127.0.0.1 port=${port} user=x password=y dbname=z');
SET session_preload_libraries = '${witness}/evil';
SELECT 'a' \\g ${witness}/7
CREATE FUNCTION public.act() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN COPY public.t TO PROGRAM 'touch ${witness}/8'; END $$;
CREATE EVENT TRIGGER act ON ddl_command_end EXECUTE FUNCTION public.act();
ALTER EVENT TRIGGER act ENABLE ALWAYS;
CREATE TABLE public.after (a integer);
${END}`,
    );
    const examination = await ground.examine(path, { tier: "full" });
    listener.close();
    const told = alarmsOf(examination);
    for (const hostile of [
      "hostile damage line 6",
      "hostile damage table public.t",
      "hostile damage statement SELECT lo_export",
      "hostile damage statement DO",
      "hostile damage index evil",
      "not-restored doubt function public.c",
      "hostile damage statement SELECT dblink_connect",
      "hostile damage statement SET session_preload_libraries",
    ]) {
      expect(
        told.some((alarm) => alarm.startsWith(hostile)) || `${hostile} of ${told.join("\n")}`,
      ).toBe(true);
    }
    expect(readdirSync(witness)).toEqual([]);
    expect(calls).toBe(0);
    expect(examination.items.find(({ name }) => name === "public.t")?.found).toBe(1);
  });

  test("what never ends meets the limit of time", async () => {
    const path = ground.write(
      "endless.sql",
      `${HEAD}DO $$ BEGIN LOOP NULL; END LOOP; END $$;${END}`,
    );
    const examination = await ground.examine(path, { server: { time: 3_000 } });
    expect(examination.reached).toBe("integrity");
    const limit = examination.findings.find(({ detector }) => detector === "limit");
    expect(limit).toMatchObject({ weight: "damage", subject: expect.stringContaining("DO $$") });
    expect(limit?.what).toContain("longer than its limit of 3 s");
  });

  test("what fills the disk meets its limit", async () => {
    const path = ground.write(
      "large.sql",
      `${HEAD}INSERT INTO public.t SELECT i, repeat('x', 5000) FROM generate_series(1, 100000000) i;${END}`,
    );
    const examination = await ground.examine(path, { server: { disk: 100 * 1024 * 1024 } });
    expect(examination.findings.find(({ detector }) => detector === "limit")?.what).toContain(
      "more than the limit of 100 MiB",
    );
  });
});
