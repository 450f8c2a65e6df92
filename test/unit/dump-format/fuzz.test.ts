import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { examineFiles, fixture } from "./fixture.ts";

/** One change of bytes: what disks, networks and people do to files. */
const damage = fc.oneof(
  fc.record({ kind: fc.constant("flip"), at: fc.nat(), more: fc.nat(7) }),
  fc.record({ kind: fc.constant("set"), at: fc.nat(), more: fc.nat(255) }),
  fc.record({ kind: fc.constant("cut"), at: fc.nat(), more: fc.constant(0) }),
  fc.record({ kind: fc.constant("remove"), at: fc.nat(), more: fc.nat(300) }),
  fc.record({ kind: fc.constant("repeat"), at: fc.nat(), more: fc.nat(300) }),
  fc.record({ kind: fc.constant("zero"), at: fc.nat(), more: fc.nat(64) }),
);

function damaged(
  bytes: Buffer,
  { kind, at: anywhere, more }: { kind: string; at: number; more: number },
): Buffer {
  const at = anywhere % Math.max(1, bytes.length);
  const changed = Buffer.from(bytes);
  switch (kind) {
    case "flip":
      changed[at] = (changed[at] ?? 0) ^ (1 << more);
      return changed;
    case "set":
      changed[at] = more;
      return changed;
    case "cut":
      return changed.subarray(0, at);
    case "remove":
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + more)]);
    case "repeat":
      return Buffer.concat([bytes.subarray(0, at + more), bytes.subarray(at)]);
    default:
      return changed.fill(0, at, Math.min(at + more, changed.length));
  }
}

const NAMES = [
  "15/plain.sql",
  "15/plain.sql.gz",
  "17/plain.sql.zst",
  "15/custom.dump",
  "15/stored.dump",
  "17/custom.dump",
  "17/lz4.dump",
  "17/zstd.dump",
  "15/tar.tar",
  "17/tar.tar",
  "15/directory",
  "17/directory",
];
const dumps = new Map(NAMES.map((name) => [name, fixture(name)]));
/** Its layers have sums of their own: whatever changes the content has to be noticed. */
const SUMMED = new Set(["15/plain.sql.gz", "17/plain.sql.zst"]);

test.each(NAMES)(
  "%s with random damage is judged, without an error, in the end",
  async (name) => {
    const files = dumps.get(name) ?? new Map();
    const folder = name.endsWith("directory");
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.array(damage, { minLength: 1, maxLength: 3 }),
        async (which, all) => {
          const member = [...files.keys()][which % files.size] ?? "";
          const original = files.get(member) ?? Buffer.alloc(0);
          const bytes = all.reduce(damaged, original);
          const examination = await examineFiles(new Map(files).set(member, bytes), folder);
          expect(examination.reached).toBe("integrity");
          if (!SUMMED.has(name) || examination.plainBytes === 0) return;
          const { sha256 } = await examineFiles(files, folder);
          if (examination.sha256 !== sha256 && !isHeaderOnly(original, bytes)) {
            expect(examination.findings.length).toBeGreaterThan(0);
          }
        },
      ),
      { numRuns: 60 },
    );
  },
  30_000,
);

/** The header of gzip holds a time and a name that nothing checks; zstd's says what it may skip. */
function isHeaderOnly(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && one.subarray(12).equals(other.subarray(12));
}
