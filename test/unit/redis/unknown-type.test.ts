import { Readable } from "node:stream";
import { describe, expect, it } from "@jest/globals";
import { Crc64 } from "../../../shared/redis/crc64.ts";
import { examineRdb } from "../../../shared/redis/index.ts";
import { testWorld } from "../../backups/world.ts";

/** An RDB with one key of a type, and some bytes that are its value. */
function rdbWith(type: number): Buffer {
  const start = Buffer.from("REDIS0013", "latin1");
  const body = Buffer.concat([start, Buffer.from([254, 0, type, 1, 97, 1, 2, 3, 255])]);
  const crc = new Crc64();
  crc.update(body);
  const sum = Buffer.alloc(8);
  sum.writeBigUInt64LE(crc.value);
  return Buffer.concat([body, sum]);
}

describe("an RDB of a newer server", () => {
  it("with a type that is not known here is doubted, and not called damaged", async () => {
    const file = { name: "dump.rdb", open: async () => Readable.from([rdbWith(77)]) };
    const options = { tier: "integrity" as const, memory: 2 ** 30, timeLimit: 1_000 };
    const { findings, unknown } = await examineRdb(file, options, testWorld());
    expect(findings).toMatchObject([{ detector: "rdb-type", weight: "doubt" }]);
    expect(findings[0]?.what).toContain("values of type 77, which servers newer");
    expect(unknown.join()).toContain("from the first value on that is not known here");
  });
});
