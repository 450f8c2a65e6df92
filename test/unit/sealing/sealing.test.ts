import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import zlib from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  BrokenSeal,
  compression,
  decompression,
  type EncryptionSettings,
  type Keys,
  openSealer,
  openUnsealer,
  type SealTraits,
  through,
} from "../../../shared/sealing/index.ts";
import { Secrets } from "../../../shared/secrets/index.ts";
import { IDENTITY, RECIPIENT } from "../backup/scene.ts";

const secrets = new Secrets();
const WORD = "correct horse battery";
const age: EncryptionSettings = { method: "age", recipients: [RECIPIENT] };
const openssl: EncryptionSettings = { method: "openssl", passphrase: WORD, iterations: 10 };
const keys: Keys = { identities: `# created\n${IDENTITY}\n`, passphrase: `${WORD}\n` };

function pieces(bytes: Buffer, size: number): Readable {
  const all: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) all.push(bytes.subarray(at, at + size));
  return Readable.from(all);
}

async function seal(
  bytes: Buffer,
  encryption: EncryptionSettings,
  method: "none" | "gzip" | "zstd",
) {
  const sealer = await openSealer({ compression: method, encryption }, secrets);
  const sealed = await buffer(through(pieces(bytes, 50_000), ...sealer.stages(false)));
  return { sealed, traits: sealer.traits(false) };
}

async function unseal(sealed: Buffer, traits: SealTraits, given: Keys = keys, size = 65_536) {
  const unsealer = await openUnsealer(given, secrets);
  return buffer(through(pieces(sealed, size), ...(await unsealer.stages(traits))));
}

describe("both ways", () => {
  const methods = fc.constantFrom("none" as const, "gzip" as const, "zstd" as const);
  const encryptions = fc.constantFrom<EncryptionSettings>({ method: "none" }, age, openssl);
  // Around the sizes of age's pieces, and more than one of them.
  const sizes = fc.oneof(
    fc.integer({ min: 0, max: 300_000 }),
    fc.constantFrom(0, 1, 65_535, 65_536, 65_537, 131_072, 131_073),
  );

  it("gives back what went in, in whatever chunks", async () => {
    const property = fc.asyncProperty(
      ...([methods, encryptions, sizes, fc.integer({ min: 1, max: 70_000 })] as const),
      async (method, encryption, size, chunk) => {
        const bytes = randomBytes(size);
        const { sealed, traits } = await seal(bytes, encryption, method);
        const back = await unseal(sealed, traits, keys, Math.max(chunk, Math.ceil(size / 500)));
        expect(back.equals(bytes)).toBe(true);
      },
    );
    await fc.assert(property, { numRuns: 25 });
  });

  it("opens for each of several recipients, and for whoever knows the passphrase", async () => {
    const { generateX25519Identity, identityToRecipient } = await import("age-encryption");
    const other = await generateX25519Identity();
    const both: EncryptionSettings = {
      method: "age",
      recipients: [RECIPIENT, await identityToRecipient(other)],
    };
    const { sealed, traits } = await seal(Buffer.from("rows"), both, "none");
    for (const identities of [IDENTITY, other]) {
      expect((await unseal(sealed, traits, { identities })).toString()).toBe("rows");
    }
    const byWord = await seal(
      Buffer.from("rows"),
      { method: "age", passphrase: `${WORD}\n` },
      "none",
    );
    const back = await unseal(byWord.sealed, byWord.traits, { passphrase: WORD });
    expect(back.toString()).toBe("rows");
  });

  it("compresses more than a block, in order", async () => {
    const bytes = Buffer.alloc(9_000_000);
    for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE(at, at);
    for (const method of ["gzip", "zstd"] as const) {
      const packed = await buffer(through(pieces(bytes, 1 << 16), compression(method, 1)));
      const back = await buffer(through(pieces(packed, 99_991), decompression(method)));
      expect(back.equals(bytes)).toBe(true);
    }
  });
});

describe("zstd as others write it", () => {
  const frame = (text: string) => zlib.zstdCompressSync(Buffer.from(text));
  const unpack = (bytes: Buffer, size: number) =>
    buffer(through(pieces(bytes, size), decompression("zstd")));

  it.each([1, 3, 7, 1000])("reads several frames in chunks of %d bytes", async (size) => {
    const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const all = Buffer.concat([frame("one "), skippable, frame(""), frame("two ".repeat(9))]);
    expect((await unpack(all, size)).toString()).toBe(`one ${"two ".repeat(9)}`);
  });

  it.each([
    ["nothing", Buffer.alloc(0), "is empty"],
    ["a frame cut short", frame("one two three").subarray(0, -2), "ends in the middle"],
    [
      "a second frame cut short",
      Buffer.concat([frame("one"), frame("two").subarray(0, 6)]),
      "ends in the middle",
    ],
    ["something behind a frame", Buffer.concat([frame("one"), Buffer.from("more")]), "is no zstd"],
    ["something else", Buffer.from("PGDMP and more"), "is no zstd"],
  ])("notices %s", async (_, bytes, why) => {
    await expect(unpack(bytes, 5)).rejects.toThrow(why);
    await expect(unpack(bytes, 5)).rejects.toThrow(BrokenSeal);
  });
});

describe("gzip", () => {
  it.each([
    ["nothing", Buffer.alloc(0), "is empty"],
    ["a member cut short", zlib.gzipSync("one two three").subarray(0, -9), "ends in the middle"],
    ["something else", Buffer.from("PGDMP and more"), "is no sound gzip"],
  ])("notices %s", async (_, bytes, why) => {
    await expect(buffer(through(pieces(bytes, 5), decompression("gzip")))).rejects.toThrow(why);
  });
});

describe("what is done to an encrypted file", () => {
  const bytes = randomBytes(200_000);
  const sealing = seal(bytes, age, "none");
  const harmless = async (changed: Buffer) => {
    const { sealed, traits } = await sealing;
    if (changed.equals(sealed)) return;
    await expect(unseal(changed, traits)).rejects.toThrow();
  };

  it("is noticed at every length it is cut to, and when it goes on", async () => {
    const { sealed } = await sealing;
    const cut = fc.asyncProperty(fc.nat({ max: sealed.length - 1 }), (length) =>
      harmless(sealed.subarray(0, length)),
    );
    await fc.assert(cut, { numRuns: 25 });
    const longer = fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 70_000 }), (more) =>
      harmless(Buffer.concat([sealed, more])),
    );
    await fc.assert(longer, { numRuns: 20 });
  });

  it("is noticed at every bit that flips", async () => {
    const { sealed } = await sealing;
    const flip = fc.asyncProperty(
      ...([fc.nat({ max: sealed.length - 1 }), fc.nat({ max: 7 })] as const),
      (at, bit) => {
        const changed = Buffer.from(sealed);
        changed.writeUInt8(changed.readUInt8(at) ^ (1 << bit), at);
        return harmless(changed);
      },
    );
    await fc.assert(flip, { numRuns: 40 });
  });

  it("is noticed when pieces change places, come twice or are left out", async () => {
    const { sealed } = await sealing;
    const piece = 65_552;
    const head = sealed.length - (4 * 16 + 200_000);
    const part = (at: number) => sealed.subarray(head + at * piece, head + (at + 1) * piece);
    const start = sealed.subarray(0, head);
    for (const order of [[1, 0, 2, 3], [0, 0, 1, 2, 3], [0, 2, 3], [0, 1, 2], [0, 1, 3], [3]]) {
      await harmless(Buffer.concat([start, ...order.map(part)]));
    }
  });
});

// A decoder that fails while more is on its way to it fails the content, too.
it.each(["gzip", "zstd"] as const)(
  "%s that breaks in the middle is named as that",
  async (method) => {
    const text = Array.from({ length: 20_000 }, (_, at) => `${at * 7919} row\n`).join("");
    const packed = method === "gzip" ? zlib.gzipSync(text) : zlib.zstdCompressSync(text);
    for (let at = 0; at < 5; at += 1) {
      const broken = Buffer.from(packed).fill(0, Math.floor((packed.length * (at + 2)) / 8));
      const reading = buffer(through(pieces(broken, 4_096), decompression(method)));
      await expect(reading).rejects.toThrow(BrokenSeal);
    }
  },
);

describe("keys", () => {
  const other = `AGE-SECRET-KEY-1${"Q".repeat(58)}`;
  const sealedFor = (encryption: EncryptionSettings) =>
    seal(Buffer.from("rows"), encryption, "gzip");
  const byAge = () => sealedFor(age);
  const byWord = () => sealedFor({ method: "age", passphrase: WORD });
  const bySsl = () => sealedFor(openssl);

  it.each<[string, () => ReturnType<typeof seal>, Keys, string]>([
    ["no identity", byAge, {}, "A key is missing"],
    ["a passphrase for a recipient's file", byAge, { passphrase: WORD }, "A key is missing"],
    ["no passphrase", byWord, { identities: IDENTITY }, "A key is missing"],
    ["another passphrase", byWord, { passphrase: "wrong one" }, "The passphrase is wrong"],
    ["no passphrase for OpenSSL", bySsl, { identities: IDENTITY }, "A key is missing"],
    ["an empty passphrase", bySsl, { passphrase: "\n" }, "The passphrase is empty"],
    ["half an identity", byAge, { identities: IDENTITY.slice(0, 40) }, "No identity of age"],
    ["a wrong letter", byAge, { identities: other }, "No identity of age"],
    ["the public half", byAge, { identities: RECIPIENT }, "A public key as identity"],
    [
      "an SSH key",
      byAge,
      {
        identities: "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----",
      },
      "SSH keys are not taken",
    ],
  ])("%s: a clear error that shows no key", async (_, make, given, title) => {
    const { sealed, traits } = await make();
    const failing = unseal(sealed, traits, given);
    await expect(failing).rejects.toMatchObject({ name: "UserError", title });
    const text = await failing.catch((error) => JSON.stringify([error.message, error.evidence]));
    for (const secret of [given.identities, given.passphrase?.trim(), WORD]) {
      if (secret && secret !== RECIPIENT) expect(text).not.toContain(secret.slice(0, 30));
    }
  });

  it("another identity is told apart from damage", async () => {
    const { generateX25519Identity } = await import("age-encryption");
    const { sealed, traits } = await byAge();
    const identities = await generateX25519Identity();
    await expect(unseal(sealed, traits, { identities })).rejects.toMatchObject({
      title: "The key does not fit",
    });
  });

  it.each<[string, EncryptionSettings, string]>([
    ["no recipient", { method: "age", recipients: [] }, "Nobody to encrypt for"],
    [
      "a typo",
      { method: "age", recipients: [`${RECIPIENT.slice(0, -1)}x`] },
      "No recipient of age",
    ],
    ["an SSH key", { method: "age", recipients: ["ssh-ed25519 AAAA"] }, "SSH keys are not taken"],
    ["the secret half", { method: "age", recipients: [IDENTITY] }, "A secret key as recipient"],
    ["an empty secret", { method: "openssl", passphrase: "" }, "The passphrase is empty"],
  ])("to encrypt for: %s", async (_, encryption, title) => {
    const opening = openSealer({ compression: "none", encryption }, secrets);
    await expect(opening).rejects.toMatchObject({ name: "UserError", title });
    await expect(opening).rejects.not.toThrow(IDENTITY);
  });

  it("are hidden in what is printed", async () => {
    const hidden = new Secrets();
    await openUnsealer(keys, hidden);
    expect(hidden.redact(`${IDENTITY} ${WORD}`)).toBe("*** ***");
  });

  it.each([
    ["gzip", 10],
    ["gzip", 0],
    ["zstd", 20],
    ["zstd", 1.5],
  ] as const)("%s has no level %d", async (method, level) => {
    const opening = openSealer(
      { compression: method, level, encryption: { method: "none" } },
      secrets,
    );
    await expect(opening).rejects.toMatchObject({ title: "No such level of compression" });
  });
});

describe("streams", () => {
  it("end at once when they are destroyed while nothing comes", async () => {
    const silent = new Readable({ read() {} });
    const sealer = await openSealer({ compression: "zstd", encryption: age }, secrets);
    const sealed = through(silent, ...sealer.stages(false));
    sealed.on("data", () => {});
    await new Promise(setImmediate);
    const closed = new Promise((resolve) => sealed.once("close", resolve));
    sealed.destroy();
    await closed;
    expect(silent.destroyed).toBe(true);
  });

  it.each(["none", "gzip", "zstd"] as const)(
    "fail with what their content failed with: %s",
    async (method) => {
      const content = Readable.from(
        (async function* () {
          yield zlib.gzipSync("begun");
          throw new Error("connection reset");
        })(),
      );
      const sealer = await openSealer({ compression: method, encryption: openssl }, secrets);
      await expect(buffer(through(content, ...sealer.stages(false)))).rejects.toThrow(
        "connection reset",
      );
      const again = Readable.from(
        (async function* () {
          yield zlib.gzipSync("begun").subarray(0, 12);
          throw new Error("connection reset");
        })(),
      );
      await expect(buffer(through(again, decompression("gzip")))).rejects.toThrow(
        "connection reset",
      );
    },
  );
});
