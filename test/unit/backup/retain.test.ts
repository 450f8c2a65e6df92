import { beforeEach, describe, expect, it } from "@jest/globals";
import {
  catalogue,
  isDamaged,
  type KeepSettings,
  openSigner,
  openVerifier,
  parseKeep,
  provenTier,
  readHistory,
  recordVerification,
  retain,
} from "../../../shared/backup/index.ts";
import type { Verification } from "../../../shared/proof/index.ts";
import { MemoryStorage } from "./memory-storage.ts";
import { backUp, NOW, scene, signingKeys } from "./scene.ts";

const DAY = 86_400_000;
let storage: MemoryStorage;
const made: string[] = [];
beforeEach(async () => {
  storage = new MemoryStorage();
  storage.now = () => NOW;
  made.length = 0;
  for (let days = 5; days >= 0; days--) {
    const { manifest } = await backUp(storage, { one: "1" }, {}, NOW - days * DAY);
    made.push(manifest.id);
  }
});

const keep = parseKeep("last=2") as KeepSettings;
const run = (dryRun = false, world = scene().world) =>
  retain(storage, "papers", keep, { dryRun }, world);

function verification(at: number, given: Partial<Verification> = {}): Verification {
  return {
    ...{ schema: 1, verdict: "passed", tier: "full", reached: "full", name: "papers" },
    ...{ backup: made[at] ?? "", kind: "directory", subject: "folder", storage: "memory" },
    ...{ taken: undefined, verified: new Date(NOW - 1000 * (10 - at)).toISOString() },
    ...{ findings: [], items: [], unit: "files", unknown: [], circumstances: {} },
    objectives: { age: 1, rpo: undefined, restore: 2, rto: undefined, outlook: undefined },
    ...{ bytes: 1, storedBytes: 1, phases: [], trend: [], evidence: [] },
    ...given,
  };
}

const record = (at: number, given: Partial<Verification> = {}, key?: string) => {
  const { world } = scene();
  const signer = key === undefined ? undefined : openSigner({ key }, world.secrets);
  return recordVerification(storage, `papers/${made[at]}/`, verification(at, given), signer, world);
};

describe("retention", () => {
  it("deletes what no rule keeps, manifests first, and tells why it keeps the others", async () => {
    const retained = await run();
    expect(retained.deleted).toEqual(made.slice(0, 4));
    expect(retained.failure).toBeUndefined();
    expect(retained.words.at(-1)).toBe(`${made[5]} is kept: the newest; last 1 of 2`);
    expect(retained.words[0]).toBe(`${made[0]} is deleted: no rule keeps it`);
    const removedOfOne = storage.removed.filter((name) => name.includes(made[0] ?? "-"));
    expect(removedOfOne[0]).toMatch(/manifest\.json$/);
    expect(new Set(storage.names.map((name) => name.split("/")[1]))).toEqual(
      new Set(made.slice(4)),
    );
  });

  it("deletes nothing in a dry run", async () => {
    const before = storage.names;
    const retained = await run(true);
    expect(retained.deleted).toEqual(made.slice(0, 4));
    expect(retained.words[0]).toContain("would be deleted");
    expect(storage.names).toEqual(before);
  });

  it("keeps the last proven, the locked, the foreign, and what it cannot read", async () => {
    await record(0);
    const lock = storage.objects.get(`papers/${made[1]}/one`);
    if (lock !== undefined) lock.lockedUntil = NOW + DAY;
    storage.put(`papers/${made[2]}/manifest.json`, "{");
    storage.put("papers/mine.sql.gz", "foreign");
    const { deleted, failure } = await run();
    expect({ deleted, failure }).toEqual({ deleted: [made[3]], failure: undefined });
    expect(storage.names).toContain("papers/mine.sql.gz");
  });

  it("deletes nothing on half a view", async () => {
    await record(0);
    const before = storage.names;
    const read = storage.read.bind(storage);
    storage.read = (name, options) => {
      if (name.includes("/verifications/")) throw new Error("access denied");
      return read(name, options);
    };
    await expect(run()).rejects.toThrow("access denied");
    expect(storage.names).toEqual(before);
  });

  it("says what should be gone and is not", async () => {
    storage.remove = async (names) => names.map((name) => ({ name, reason: "access denied" }));
    const { deleted, failure } = await run();
    expect(deleted).toEqual([]);
    expect(failure).toMatchObject({ title: "Old backups could not be deleted" });
    expect(failure?.evidence).toContain("access denied");
  });

  it("leaves nothing that counts and is broken when it is interrupted anywhere", async () => {
    for (let stop = 0; stop < 12; stop++) {
      const { world, cancel } = scene();
      let removals = 0;
      storage.before = (deed) => {
        if (deed === "remove" && removals++ === stop) cancel();
      };
      await run(false, world).catch(() => {});
      storage.before = () => {};
      const { backups } = await catalogue(storage, "papers", world.aftermath);
      for (const { folder } of backups) expect(storage.names).toContain(`${folder}one`);
      expect(backups.map(({ id }) => id)).toEqual(expect.arrayContaining(made.slice(4)));
    }
  });
});

describe("the history of verifications", () => {
  it("is read across the backups, oldest first", async () => {
    await record(1, { verdict: "failed", verified: "2026-11-20T00:00:00.000Z" });
    await record(1, { reached: "data" });
    await record(3);
    const { world } = scene();
    const list = await catalogue(storage, "papers", world.signal);
    const histories = await readHistory(storage, list, { limit: 5 }, world.signal);
    expect(histories.map(({ listed }) => listed.id)).toEqual(made.slice(1));
    expect(
      histories.map(({ verifications }) => verifications.map(({ verdict }) => verdict)),
    ).toEqual([["failed", "passed"], [], ["passed"], [], []]);
    expect(histories[0]?.manifest?.measures).toEqual({ files: 2 });
  });

  it("counts only what its key signed, where one is given, and nothing that is no verification", async () => {
    const { key, publicKey } = signingKeys("ec");
    const signed = await record(1, {}, key);
    await record(2);
    const changed = await record(3, {}, key);
    storage.put(changed, storage.bytes(changed).toString().replace('"full"', '"data"'));
    storage.put(`papers/${made[4]}/verifications/x.json`, storage.bytes(signed));
    storage.put(`papers/${made[5]}/verifications/x.json`, "null");
    const { world } = scene();
    const list = await catalogue(storage, "papers", world.signal);
    const read = async (verifier?: ReturnType<typeof openVerifier>) =>
      (await readHistory(storage, list, { limit: 5, verifier }, world.signal)).map(
        ({ verifications, unreadable }) => `${verifications.length}/${unreadable}`,
      );
    expect(await read(openVerifier(publicKey))).toEqual(["1/0", "0/1", "0/1", "0/1", "0/1"]);
    expect(await read()).toEqual(["1/0", "1/0", "1/0", "0/1", "0/1"]);
  });

  const passed = (reached: Verification["reached"]) => verification(0, { reached });
  const failed = (weight?: "damage" | "doubt") =>
    verification(0, {
      verdict: "failed",
      findings:
        weight === undefined
          ? []
          : [{ detector: "x", tier: "data", weight, subject: "x", what: "X." }],
    });

  it.each<[string, Verification[], Verification["reached"] | undefined, boolean]>([
    ["never verified", [], undefined, false],
    ["passed twice", [passed("full"), passed("integrity")], "full", false],
    ["passed, then deeper", [passed("integrity"), passed("data")], "data", false],
    ["passed, then too old", [passed("data"), failed("doubt")], "data", false],
    ["passed, then damaged", [passed("full"), failed("damage")], undefined, true],
    ["damaged, then passed after all", [failed("damage"), passed("integrity")], "integrity", false],
    ["not reached", [failed()], undefined, false],
  ])("proves by it: %s", (_, verifications, tier, damaged) => {
    expect([provenTier(verifications), isDamaged(verifications)]).toEqual([tier, damaged]);
  });
});
