import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Tier } from "../../shared/proof/index.ts";
import {
  type Damage,
  excised,
  flipped,
  followedBy,
  replaced,
  shortened,
  text,
  truncated,
  zeroed,
} from "./bytes.ts";
import type { Case } from "./case.ts";
import type { Scene } from "./scene.ts";
import { retarred } from "./tar.ts";

/** What another tool left in a folder: a file alone, with neither manifest nor fingerprint. */
interface Foreign {
  readonly file: string;
  readonly dump: (scene: Scene) => Promise<Buffer>;
  readonly format: Case["format"];
}

const gzipped: Foreign = {
  file: "library-2026.sql.gz",
  dump: async (scene) => gzipSync(await scene.dump("library", [])),
  format: "plain",
};
const tar: Foreign = {
  file: "library.tar",
  dump: (scene) => scene.dump("library", ["-Ft"]),
  format: "tar",
};
const custom: Foreign = {
  file: "library.dump",
  dump: (scene) => scene.dump("library", ["-Fc", "--compress=6"]),
  format: "custom",
};

type Change = (bytes: Buffer) => Buffer | Promise<Buffer>;

function found(
  { file, dump, format }: Foreign,
  name: string,
  tier: Tier,
  change: Change,
  inputs: (scene: Scene) => Record<string, string> = () => ({}),
): Case {
  return {
    ...{ name: `${name}, no manifest`, format, level: "file", harms: true, tier },
    arrange: async (scene, folder) => {
      const storage = join(folder, "storage");
      await mkdir(storage);
      await writeFile(join(storage, file), await change(await dump(scene)));
      return { storage, pattern: "library*", ...inputs(scene) };
    },
  };
}

function harmless(
  from: Foreign,
  name: string,
  change: Change,
  inputs?: (scene: Scene) => Record<string, string>,
): Case {
  return { ...found(from, name, "full", change, inputs), harms: false };
}

const same: Damage = (bytes) => bytes;
const expecting = () => ({
  expectations:
    "tables:\n  lib.books: { rows: 1500 }\n  lib.pages: { min-rows: 120 }\nextensions: [citext]\n",
});
const beside = (scene: Scene) => ({ "live-source": scene.server.url("library") });
const older = (scene: Scene) =>
  scene.changed(
    "DELETE FROM lib.pages WHERE id > 100; UPDATE lib.authors SET name = 'Nobody' WHERE id = 9",
    (database) => scene.dump(database, ["-Fc"]),
  );

export const foreignFaults: readonly Case[] = [
  found(gzipped, "a bit of a gzip", "integrity", flipped(0.5)),
  found(gzipped, "a gzip cut", "integrity", truncated(0.5)),
  found(gzipped, "a gzip without its last bytes", "integrity", shortened(4)),
  found(gzipped, "garbage behind a gzip", "integrity", followedBy("garbage")),
  found(gzipped, "zeros in a gzip", "integrity", zeroed(0.5, 512)),
  found(gzipped, "no bytes", "integrity", truncated(0)),
  found(
    gzipped,
    "an error of the network in place of a gzip",
    "integrity",
    replaced("<html><body>503</body></html>"),
  ),
  found(tar, "a tar cut", "integrity", truncated(0.5)),
  found(tar, "a tar without its end", "integrity", shortened(1_024)),
  found(tar, "zeros over a header of a tar", "integrity", zeroed(0, 512)),
  found(tar, "a stretch of a tar missing", "integrity", excised(0.5, 700)),
  found(tar, "a member of a tar missing", "integrity", (bytes) =>
    retarred(bytes, (all) =>
      all.filter(
        ({ header }, at) =>
          at !==
            all.findIndex(
              (each) => each.header.name.endsWith(".dat") && each.header.name !== "toc.dat",
            ) || header.name === "toc.dat",
      ),
    ),
  ),
  found(tar, "the table of contents of a tar missing", "integrity", (bytes) =>
    retarred(bytes, (all) => all.filter(({ header }) => header.name !== "toc.dat")),
  ),
  found(tar, "rows of a member of a tar cut", "integrity", (bytes) =>
    retarred(bytes, (all) =>
      all.map((member) =>
        /^\d+\.dat$/.test(member.header.name) && member.content.length > 5_000
          ? { ...member, content: member.content.subarray(0, 3_001) }
          : member,
      ),
    ),
  ),
  found(tar, "a member of a tar out of the folder", "integrity", (bytes) =>
    retarred(bytes, (all) =>
      all.map((member, at) =>
        at === 1
          ? { ...member, header: { ...member.header, name: `../../${member.header.name}` } }
          : member,
      ),
    ),
  ),
  found(custom, "a bit of a compressed block", "integrity", flipped(0.7)),
  found(custom, "another bit of a compressed block", "integrity", flipped(0.9, 4)),
  found(custom, "a compressed block cut", "integrity", truncated(0.8)),
  found(
    { ...custom, dump: older },
    "rows lost, held against expectations",
    "data",
    same,
    expecting,
  ),
  found(
    { ...custom, dump: older },
    "rows lost, held against the living source",
    "data",
    same,
    beside,
  ),
  found(
    { ...custom, dump: (scene) => scene.dump("other", ["-Fc"]) },
    "another database, held against expectations",
    "data",
    same,
    expecting,
  ),
  found(
    {
      ...gzipped,
      dump: async (scene) =>
        gzipSync(
          (await scene.dump("library", [])).toString("utf8").replace("days * 0.10", "days * 9.10"),
        ),
    },
    "a function changed, held against the living source",
    "data",
    same,
    beside,
  ),
  found(
    {
      ...gzipped,
      dump: async (scene) =>
        gzipSync(text((sql) => `${sql}\\! touch /tmp/never\n`)(await scene.dump("library", []))),
    },
    "a shell command in a gzip",
    "integrity",
    same,
  ),
];

export const foreignBenign: readonly Case[] = [
  harmless(gzipped, "a gzip of another tool", same),
  harmless(gzipped, "a gzip beside its living source", same, beside),
  harmless(tar, "a tar of another tool", same, expecting),
  harmless(custom, "a custom dump of another tool", same, expecting),
];
