import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { describe, expect, test } from "@jest/globals";
import {
  isPostDataStatement,
  type PlainFilterOptions,
  plainSqlFilter,
} from "../../../shared/dump-format/index.ts";
import { fileOf, pieces } from "./fixture.ts";

const plain = fileOf("15/plain.sql").toString("utf8");

async function filtered(
  text: string,
  options: PlainFilterOptions = {},
  piece = 4096,
): Promise<{ out: string; error: unknown }> {
  const parts: Buffer[] = [];
  let error: unknown;
  const source = Readable.from(pieces(Buffer.from(text), piece));
  await pipeline(source, plainSqlFilter(options), async (content: AsyncIterable<Buffer>) => {
    for await (const part of content) parts.push(part);
  }).catch((cause: unknown) => {
    error = cause;
  });
  return { out: Buffer.concat(parts).toString("utf8"), error };
}

const unrestricted = plain.replace(/^\\(un)?restrict .*$/gm, "");
const lines = (text: string) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

test.each([1, 37, 65_536])(
  "a dump passes unchanged, in pieces of %i bytes, but for its own restrict",
  async (piece) => {
    const { out, error } = await filtered(plain, {}, piece);
    expect(error).toBeUndefined();
    expect(lines(out)).toEqual(lines(unrestricted));
    expect(out.split("\n").length).toBe(plain.split("\n").length);
  },
);

test("a key of ours restricts psql from the first line to the last", async () => {
  const { out } = await filtered(plain, { restrictKey: "abc" });
  expect(out.startsWith("\\restrict abc\n")).toBe(true);
  expect(out.endsWith("\\unrestrict abc\n")).toBe(true);
  expect(out.match(/restrict /g)).toHaveLength(2);
});

test("statements behind the data can be left out", async () => {
  const { out } = await filtered(plain, { skip: isPostDataStatement });
  expect(out).not.toMatch(/ADD CONSTRAINT|CREATE INDEX/);
  expect(lines(out).filter((line) => line.includes("\t"))).toEqual(
    lines(plain).filter((line) => line.includes("\t")),
  );
  expect(out).toContain("CREATE VIEW public.v");
});

describe("nothing hostile is passed on", () => {
  test.each([
    ["\\! touch /tmp/x"],
    ["SELECT 1 \\g |sh"],
    ["DO $$ BEGIN END $$;"],
    ["COPY public.item FROM PROGRAM 'id';"],
    ["COPY public.item (id, customer, note) FROM stdin; \\! id\n\\."],
    ["\\connect other"],
    ["SELECT 1 \\restrict x\n;"],
  ])("%s", async (text) => {
    const hostile = plain.replace("CREATE VIEW", `${text}\nCREATE VIEW`);
    const line = plain.slice(0, plain.indexOf("CREATE VIEW")).split("\n").length;
    const { out, error } = await filtered(hostile);
    expect(error).toMatchObject({
      title: "Hostile dump",
      cause: expect.stringContaining(`line ${line}`),
    });
    expect(out).not.toMatch(/\\[!g]|PROGRAM|DO \$\$|\\connect/);
  });

  test("databases are changed only where that is allowed", async () => {
    const { out, error } = await filtered(`\\connect shop\n${plain}`, { allowConnect: true });
    expect(error).toBeUndefined();
    expect(out).toContain("\\connect shop\n");
  });
});
