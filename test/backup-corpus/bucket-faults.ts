import { type Damage, flipped, passage, shortened, text, truncated } from "./bytes.ts";
import type { Case } from "./case.ts";
import type { KeptBackup } from "./kept-backup.ts";

const OBJECTS = /\.bin$/;
const LISTING = /\.jsonl$/;

function fault(name: string, change: (backup: KeptBackup) => Promise<void>): Case {
  return {
    ...{ name, format: "bucket", level: "file", harms: true, tier: "integrity" },
    arrange: async (scene, folder) => {
      const backup = await scene.copy("bucket", folder);
      await change(backup);
      return backup.inputs;
    },
  };
}

function resummed(name: string, part: RegExp, damage: Damage): Case {
  return fault(`${name}, sums made right`, (backup) => backup.change(nameOf(backup, part), damage));
}

function nameOf({ manifest }: KeptBackup, pattern: RegExp): string {
  // Objects are packed side by side: which is in which pack is never the same, the largest has some.
  const [part] = manifest.parts
    .filter(({ name }) => pattern.test(name))
    .toSorted((a, b) => b.bytes - a.bytes);
  if (part === undefined) throw new Error(`There is no part ${pattern}.`);
  return part.name;
}

export const bucketFaults: readonly Case[] = [
  fault("a bit of the objects", (backup) =>
    backup.damageStored(nameOf(backup, OBJECTS), flipped(0.5)),
  ),
  fault("objects missing, sums made right", (backup) => backup.forget(nameOf(backup, OBJECTS))),
  resummed("objects cut", OBJECTS, truncated(0.5)),
  resummed("the last byte of the objects gone", OBJECTS, shortened(1)),
  resummed("a letter of an object", OBJECTS, passage("of the bucket", "of the socket")),
  resummed(
    "two objects swapped",
    OBJECTS,
    text((all) => all.replace(/(object \d+ of the bucket)(object \d+ of the bucket)/, "$2$1")),
  ),
  resummed(
    "an object missing in the listing",
    LISTING,
    text((all) => all.split("\n").toSpliced(0, 1).join("\n")),
  ),
  resummed("another key in the listing", LISTING, passage(/papers\/\d+\.txt/, "papers/x.txt")),
];
