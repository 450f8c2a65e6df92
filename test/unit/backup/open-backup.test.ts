import { createHash, randomBytes } from "node:crypto";
import { buffer, text } from "node:stream/consumers";
import { beforeEach, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  examineSeal,
  findingOf,
  openBackup,
  openSigner,
  openVerifier,
  type SealSettings,
  type WrittenBackup,
} from "../../../shared/backup/index.ts";
import { MemoryStorage } from "./memory-storage.ts";
import { backUp, IDENTITY, RECIPIENT, scene, signingKeys } from "./scene.ts";

const parts = { "dump/one": randomBytes(70_000), "dump/two": "two\n".repeat(30_000), three: "3" };
const WORD = "correct horse";
const sealings = {
  age: { compression: "zstd", encryption: { method: "age", recipients: [RECIPIENT] } },
  openssl: {
    compression: "gzip",
    encryption: { method: "openssl", passphrase: WORD, iterations: 10 },
  },
  plain: { compression: "none", encryption: { method: "none" } },
  zstd: { compression: "zstd", encryption: { method: "none" } },
} as const;
const keys = { identities: IDENTITY, passphrase: WORD };

let storage: MemoryStorage;
let written: WrittenBackup;
beforeEach(() => {
  storage = new MemoryStorage();
});

async function examine(settings: SealSettings = {}, given: object = keys) {
  const { world } = scene();
  const opened = await openBackup(storage, written.manifest, given, world);
  return examineSeal(opened, settings, world);
}

it("reads no part again that was read to its end, and each of the others", async () => {
  written = await backUp(storage, parts, { sealing: sealings.age });
  storage.put(at("dump/two.zst.age"), storage.bytes(at("dump/two.zst.age")).subarray(0, 50));
  const read: string[] = [];
  const origin = storage.read.bind(storage);
  storage.read = (name, options) => {
    read.push(name.slice(written.folder.length));
    return origin(name, options);
  };
  const { signal } = new AbortController();
  const { broken } = await examine({
    read: async (backup) => {
      expect(await buffer(await backup.open("dump/one", signal))).toEqual(parts["dump/one"]);
      await backup.fingerprint(signal);
      for await (const _ of await backup.open("three", signal)) break;
      await buffer(await backup.open("dump/two", signal)).catch(() => {});
    },
  });
  expect(broken).toEqual(["dump/two"]);
  const once = ["dump/one.zst.age", "fingerprint.json.zst.age", "manifest.json"];
  const twice = ["dump/two.zst.age", "three.zst.age"];
  expect(read.sort()).toEqual([...once, ...twice, ...twice].sort());
});

const at = (file: string) => `${written.folder}${file}`;
const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

describe("the examination of a seal", () => {
  it.each(Object.entries(sealings))("finds nothing in a sound backup: %s", async (_, sealing) => {
    written = await backUp(storage, parts, { sealing });
    const { findings, evidence, broken, unknown } = await examine();
    expect({ findings, broken }).toEqual({ findings: [], broken: [] });
    expect(unknown).toEqual([expect.stringContaining("not signed")]);
    expect(evidence).toHaveLength(5);
    for (const { file, bytes, sha256 } of evidence) {
      expect([file, bytes, sha256]).toEqual([
        file,
        storage.bytes(file).length,
        digest(storage.bytes(file)),
      ]);
    }
  });

  it.each(Object.entries(sealings))(
    "notices every change of a byte, every cut and every addition: %s",
    async (_, sealing) => {
      written = await backUp(storage, parts, { sealing });
      const files = storage.names.filter((name) => !name.endsWith("manifest.json"));
      const change = fc.asyncProperty(
        ...([
          fc.constantFrom(...files),
          fc.constantFrom("flip", "cut", "add", "zero"),
          fc.nat(),
        ] as const),
        async (name, how, where) => {
          const before = storage.bytes(name);
          const changed = Buffer.from(before);
          const position = where % before.length;
          if (how === "flip")
            changed.writeUInt8(changed.readUInt8(position) ^ (1 << (where % 8)), position);
          const after =
            how === "cut"
              ? changed.subarray(0, position)
              : how === "add"
                ? Buffer.concat([changed, Buffer.from("x")])
                : how === "zero"
                  ? Buffer.alloc(0)
                  : changed;
          storage.put(name, after);
          const { findings } = await examine().finally(() => storage.put(name, before));
          const file = name.slice(written.folder.length);
          expect(findings).toMatchObject([
            { subject: file, weight: "damage", detector: "checksum", tier: "integrity" },
          ]);
        },
      );
      await fc.assert(change, { numRuns: 25 });
    },
  );

  it("names files that are missing, swapped and too many", async () => {
    written = await backUp(storage, { one: "same length 1", two: "same length 2", three: "3" });
    const [one, two] = [storage.bytes(at("one")), storage.bytes(at("two"))];
    storage.put(at("one"), two);
    storage.put(at("two"), one);
    storage.objects.delete(at("three"));
    storage.put(at("four"), "more");
    const { findings, broken } = await examine();
    expect(findings.map(({ detector, weight, what }) => [detector, weight, what])).toEqual([
      ["checksum", "damage", "one holds what belongs into two."],
      ["missing-part", "damage", expect.stringContaining("three is not in memory/papers/")],
      ["checksum", "damage", "two holds what belongs into one."],
      ["extra-file", "note", "four (4 bytes) lies in the backup's folder and is no part of it."],
    ]);
    expect([...broken].sort()).toEqual(["one", "three", "two"]);
  });

  it("notices damage before encryption, with the manifest's sums of what is stored made to fit", async () => {
    written = await backUp(storage, parts, { sealing: sealings.zstd });
    const other = new MemoryStorage();
    const there = await backUp(other, { ...parts, three: "4" }, { sealing: sealings.zstd });
    const changed = other.bytes(`${there.folder}three.zst`);
    storage.put(at("three.zst"), changed);
    const manifest = storage.bytes(at("manifest.json")).toString();
    const part = written.manifest.parts.find(({ name }) => name === "three");
    storage.put(at("manifest.json"), manifest.replace(part?.storedSha256 ?? "", digest(changed)));
    const { findings } = await examine();
    expect(findings).toMatchObject([
      { detector: "checksum", what: expect.stringContaining("the manifest was changed") },
    ]);
  });

  it("reads what is stored where no key is given, and says what it could not see", async () => {
    written = await backUp(storage, parts, { sealing: sealings.age });
    const sound = await examine({}, {});
    expect(sound.findings).toEqual([]);
    expect(sound.unknown).toContainEqual(
      expect.stringContaining("4 encrypted files can be decrypted was not checked"),
    );
    storage.bytes(at("three.zst.age")).writeUInt8(0, 200);
    expect((await examine({}, {})).findings).toMatchObject([{ detector: "checksum" }]);
  });

  it.each(["openssl", "age"] as const)("tells a wrong key from damage: %s", async (method) => {
    const { generateX25519Identity } = await import("age-encryption");
    written = await backUp(storage, { one: "1" }, { sealing: sealings[method] });
    const wrong = { identities: await generateX25519Identity(), passphrase: "another one" };
    const title = method === "age" ? "The key does not fit" : "The passphrase is wrong";
    await expect(examine({}, wrong)).rejects.toMatchObject({ title });
    for (const name of storage.names.filter((each) => !each.endsWith("manifest.json"))) {
      storage.bytes(name).writeUInt8(storage.bytes(name).readUInt8(40) ^ 1, 40);
    }
    expect((await examine({}, wrong)).findings).toMatchObject([
      { detector: "checksum" },
      { detector: "checksum" },
    ]);
  });

  it("lets another read along, to the end or not, and fails its stream where the part breaks", async () => {
    written = await backUp(storage, parts, { sealing: sealings.age });
    const seen: Record<string, string> = {};
    const watch: SealSettings["watch"] = async (part, content) => {
      if (part.name === "dump/one") for await (const _ of content) break;
      else
        seen[part.name] = digest(
          await buffer(content).catch((error) => Buffer.from(String(error.detector))),
        );
    };
    storage.bytes(at("three.zst.age")).writeUInt8(0, 200);
    const { findings } = await examine({ watch });
    expect(findings).toMatchObject([{ subject: "three.zst.age" }]);
    expect(seen["dump/two"]).toBe(digest(Buffer.from(parts["dump/two"])));
    expect(seen.three).toBe(digest(Buffer.from("checksum")));
    const failing = examine({
      watch: async () => Promise.reject(new Error("a bug of the watcher")),
    });
    await expect(failing).rejects.toThrow("a bug of the watcher");
  });
});

describe("signatures", () => {
  it.each([
    ["ec", undefined],
    ["ed25519", undefined],
    ["rsa", undefined],
    ["ec", "a passphrase"],
  ] as const)("hold and break: %s %s", async (type, passphrase) => {
    const { key, publicKey } = signingKeys(type, passphrase);
    written = await backUp(storage, { one: "1" }, { signing: { key, passphrase } });
    const verifier = openVerifier(publicKey);
    const whole = await examine({ verifier });
    expect({ ...whole, evidence: [] }).toEqual({
      findings: [],
      unknown: [],
      evidence: [],
      broken: [],
    });
    const other = openVerifier(signingKeys("ec").publicKey);
    expect((await examine({ verifier: other })).findings).toMatchObject([
      { detector: "signature", weight: "damage" },
    ]);
    expect((await examine()).unknown).toEqual([expect.stringContaining("no key to verify with")]);
    const manifest = storage.bytes(at("manifest.json")).toString();
    storage.put(at("manifest.json"), manifest.replace("/srv/papers", "/srv/others"));
    expect((await examine({ verifier })).findings).toMatchObject([
      { detector: "signature", weight: "damage" },
    ]);
    storage.put(at("manifest.json.sig"), "garbage");
    expect((await examine({ verifier })).findings).toMatchObject([{ detector: "signature" }]);
    storage.objects.delete(at("manifest.json.sig"));
    expect((await examine({ verifier })).findings).toMatchObject([
      { what: expect.stringContaining("has no signature") },
    ]);
  });

  const { key, publicKey } = signingKeys("ec", "right");
  const sign = (settings: { key: string; passphrase?: string }) =>
    openSigner(settings, scene().world.secrets);

  it.each([
    ["a missing passphrase", { key }, "The signing key's passphrase is missing"],
    ["a wrong passphrase", { key, passphrase: "wrong" }, "The signing key cannot be read"],
    [
      "half a key",
      { key: key.slice(0, 200), passphrase: "right" },
      "The signing key cannot be read",
    ],
    ["a public key", { key: publicKey }, "The signing key cannot be read"],
    [
      "cosign's own",
      { key: "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nx" },
      "The signing key is in cosign's own format",
    ],
  ])("%s: an error that shows nothing of the key", (_, settings, title) => {
    expect(() => sign(settings)).toThrow(expect.objectContaining({ name: "UserError", title }));
    expect(() => sign(settings)).not.toThrow(key.slice(60, 100));
  });

  it("are verified with public keys only", () => {
    expect(() => openVerifier(key)).toThrow("A private key to verify with");
    expect(() => openVerifier("nonsense")).toThrow("No public key");
  });
});

describe("a manifest", () => {
  it.each<[string, (manifest: string) => string, string]>([
    ["empty", () => "", "is empty"],
    ["cut short", (text) => text.slice(0, -20), "is no JSON"],
    [
      "of another schema",
      (text) => text.replace('"schema": 1', '"schema": 2'),
      "written by a newer version",
    ],
    [
      "of another backup",
      (text) => text.replaceAll(/(\d{8}T\d{6}Z)-/g, "20200101T000000Z-"),
      "is that of another backup",
    ],
    [
      "that leads out",
      (text) => text.replace('"file": "one"', '"file": "../../one"'),
      "outside of its folder",
    ],
    [
      "with a part that a restore would put elsewhere",
      (text) => text.replace('"name": "one"', '"name": "dump/../../one"'),
      "outside of its folder",
    ],
    [
      "with a part twice",
      (text) => text.replace('"name": "two"', '"name": "one"'),
      'names "one" twice',
    ],
    ["with no sum", (text) => text.replace(/"sha256": "\w{5}/, '"sha256": "'), "has no SHA-256"],
    ["with a negative size", (text) => text.replace(/"bytes": 1/, '"bytes": -1'), "has no count"],
    ["that is a list", () => "[]", "is no JSON object"],
  ])("%s is a finding", async (_, harm, why) => {
    written = await backUp(storage, { one: "1", two: "2" });
    storage.put(at("manifest.json"), harm(storage.bytes(at("manifest.json")).toString()));
    const failure = await openBackup(storage, written.manifest, {}, scene().world).catch(
      (error) => error,
    );
    expect(findingOf(failure)).toMatchObject({
      detector: "manifest",
      weight: "damage",
      what: expect.stringContaining(why),
    });
  });

  it("never crashes, whatever bytes it has", async () => {
    written = await backUp(storage, { one: "1", two: "2" });
    const sound = storage.bytes(at("manifest.json"));
    const property = fc.asyncProperty(
      fc.nat({ max: sound.length - 1 }),
      fc.nat({ max: 255 }),
      async (where, byte) => {
        const changed = Buffer.from(sound);
        changed.writeUInt8(byte, where);
        storage.put(at("manifest.json"), changed);
        const failure = await openBackup(storage, written.manifest, {}, scene().world).catch(
          (error) => error,
        );
        expect(failure instanceof Error ? findingOf(failure) : "opened").toBeDefined();
      },
    );
    await fc.assert(property, { numRuns: 100 });
  });
});

it("a part can be read alone, and says what it lacks", async () => {
  written = await backUp(storage, parts, { sealing: sealings.age });
  const { world } = scene();
  const opened = await openBackup(storage, written.manifest, keys, world);
  expect(await text(await opened.open("dump/two", world.signal))).toBe(parts["dump/two"]);
  storage.objects.delete(at("three.zst.age"));
  await expect(opened.open("three", world.signal)).rejects.toMatchObject({
    detector: "missing-part",
  });
  const half = await opened.open("dump/one", world.signal);
  for await (const _ of half) break;
  expect(half.destroyed).toBe(true);
});
