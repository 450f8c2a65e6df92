import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { functionsPayload, versionOf } from "../../../shared/redis/dump-payload.ts";
import { planRestore } from "../../../shared/redis/index.ts";
import { holderIn } from "../../../shared/redis/restore-lease.ts";
import { requireMemory } from "../../../shared/redis/restore-plan.ts";
import { readMark } from "../../../shared/redis/unfinished.ts";

const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 15 }), { maxLength: 16 });

describe("which database goes where", () => {
  it("takes empty ones that nobody means, and empties those that the backup has not", () => {
    const keys = new Map([
      [0, 5],
      [7, 1],
      [15, 3],
    ]);
    expect(planRestore([0, 3], { databases: 16, keys, only: undefined }, true)).toEqual({
      moves: [
        { database: 0, staging: 14 },
        { database: 3, staging: 13 },
      ],
      emptied: [7, 15],
      left: [],
      withFunctions: true,
    });
    expect(planRestore([0, 3], { databases: 16, keys, only: 3 }, true)).toEqual({
      moves: [{ database: 3, staging: 14 }],
      emptied: [],
      left: [0],
      withFunctions: false,
    });
    expect(planRestore([0], { databases: 1, keys, only: undefined }, true)).toBeUndefined();
    expect(planRestore([0], { databases: 1, keys, only: undefined }, false)).toMatchObject({
      moves: [{ database: 0, staging: 0 }],
    });
  });

  it("never goes through a database with keys, nor through one twice", () => {
    fc.assert(
      fc.property(
        numbers,
        numbers,
        fc.option(fc.integer({ min: 0, max: 15 })),
        (held, full, one) => {
          const only = one ?? undefined;
          const keys = new Map(full.map((number): [number, number] => [number, 1]));
          const plan = planRestore(held, { databases: 16, keys, only }, true);
          if (plan === undefined) return;
          const staged = plan.moves.map(({ staging }) => staging);
          expect(new Set(staged).size).toBe(staged.length);
          for (const { database, staging } of plan.moves) {
            expect(keys.has(staging)).toBe(false);
            expect(held.includes(staging)).toBe(only !== undefined && held.includes(staging));
            expect(staging).not.toBe(database);
          }
          if (only === undefined) {
            const touched = [...plan.moves.map(({ database }) => database), ...plan.emptied];
            for (const number of full) expect(touched).toContain(number);
          } else expect(plan.moves.map(({ database }) => database)).toEqual([only]);
        },
      ),
    );
  });
});

describe("what is known before anything is sent", () => {
  const need = { words: "Redis at h:1", policy: "allkeys-lru", machine: 0, isBeside: true };

  it("is whether there is room for both", () => {
    const room = { ...need, needed: 50, used: 50, limit: 100 };
    expect(() => requireMemory(room)).not.toThrow();
    expect(() => requireMemory({ ...room, needed: 51 })).toThrow("too little memory");
    expect(() => requireMemory({ ...room, limit: 0, needed: 51 })).not.toThrow();
    expect(() => requireMemory({ ...room, limit: 0, machine: 99 })).toThrow("too little memory");
  });

  it("is who restores already", () => {
    const clients = [
      "id=3 addr=1.2.3.4:5 name=app db=0",
      "id=7 addr=9.9.9.9:1 laddr=x name=seaworthy-restore:run-1-of-o/r db=0",
    ].join("\n");
    expect(holderIn(clients, 9)).toBe("seaworthy-restore:run-1-of-o/r, connected from 9.9.9.9:1");
    expect(holderIn(clients, 7)).toBeUndefined();
    expect(holderIn(clients, 5)).toBeUndefined();
  });

  it("is what an interrupted restore left, also where somebody edited it", () => {
    const text = JSON.stringify({ since: "t", beside: true });
    expect(readMark(text)).toEqual({ since: "t", beside: true, previousBackup: undefined });
    expect(readMark("{")).toMatchObject({ beside: false, since: "an unknown time" });
  });

  it("is which version a server writes, at the end of what it dumps", () => {
    expect(versionOf(functionsPayload([Buffer.alloc(20_000, "x")], 10))).toBe(10);
    expect(versionOf(Buffer.alloc(9))).toBeUndefined();
  });
});
