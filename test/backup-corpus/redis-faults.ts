import type { Tier } from "../../shared/proof/index.ts";
import { Crc64 } from "../../shared/redis/crc64.ts";
import {
  type Damage,
  flipped,
  followedBy,
  replaced,
  shortened,
  truncated,
  zeroed,
} from "./bytes.ts";
import type { Case } from "./case.ts";

const PART = "dump.rdb";
const TAIL = 8;

function stored(name: string, damage: Damage): Case {
  return {
    ...{ name, format: "rdb", level: "file", harms: true, tier: "integrity" },
    arrange: async (scene, folder) => {
      const backup = await scene.copy("rdb", folder);
      await backup.damageStored(PART, damage);
      return backup.inputs;
    },
  };
}

function resummed(name: string, tier: Tier, damage: Damage): Case {
  return {
    ...{ name: `${name}, sums made right`, format: "rdb", level: "file", harms: true, tier },
    arrange: async (scene, folder) => {
      const backup = await scene.copy("rdb", folder);
      await backup.change(PART, damage);
      return backup.inputs;
    },
  };
}

/** The snapshot shows another state than its fingerprint. */
function state(name: string, harms: boolean, ...commands: readonly string[]): Case {
  return {
    ...{ name, format: "rdb", level: "source", harms, tier: harms ? "data" : "full" },
    arrange: async (scene, folder) => {
      const backup = await scene.copy("rdb", folder);
      await backup.write(PART, await scene.rdbAfter(commands));
      return backup.inputs;
    },
  };
}

/** With the checksum at the end that belongs to the damaged bytes. */
function withChecksum(damage: Damage): Damage {
  return (bytes) => {
    const body = damage(bytes.subarray(0, -TAIL));
    const crc = new Crc64();
    crc.update(body);
    const sum = Buffer.alloc(TAIL);
    sum.writeBigUInt64LE(crc.value);
    return Buffer.concat([body, sum]);
  };
}

function needle(from: string, to: string): Damage {
  return (bytes) => {
    const at = bytes.indexOf(from);
    if (at < 0) throw new Error(`${from} is not in the snapshot`);
    const made = Buffer.from(bytes);
    made.write(to, at);
    return made;
  };
}

export const redisFaults: readonly Case[] = [
  stored("a bit of a snapshot", flipped(0.5)),
  stored("a snapshot cut", truncated(0.6)),
  stored("a snapshot of no bytes", truncated(0)),
  resummed("a bit of a snapshot", "integrity", flipped(0.5)),
  resummed("a snapshot cut in half", "integrity", truncated(0.5)),
  resummed("a snapshot without its checksum", "integrity", shortened(TAIL)),
  resummed("a snapshot without its last byte", "integrity", shortened(1)),
  resummed("a snapshot of no bytes", "integrity", truncated(0)),
  resummed("zeros in a snapshot", "integrity", zeroed(0.4, 64)),
  resummed("bytes behind a snapshot", "integrity", followedBy("garbage")),
  resummed(
    "a snapshot of a version to come",
    "integrity",
    withChecksum(needle("REDIS0010", "REDIS0999")),
  ),
  resummed("no snapshot but text", "integrity", replaced("+FULLRESYNC 0123456789 0\r\n")),
  resummed(
    "a value changed with the checksum made right",
    "data",
    withChecksum(needle("needle-7", "needle-8")),
  ),
  resummed("a checksum of zeros over a changed value", "data", (bytes) => {
    const made = needle("needle-7", "needle-9")(bytes);
    return made.fill(0, made.length - TAIL);
  }),
  {
    ...{ name: "no snapshot in the manifest, sums made right", format: "rdb", level: "file" },
    ...{ harms: true, tier: "integrity" },
    arrange: async (scene, folder) => {
      const backup = await scene.copy("rdb", folder);
      await backup.forget(PART);
      return backup.inputs;
    },
  },
  state("a key lost", true, "DEL text:7"),
  state("a key more", true, "SET more 1"),
  state("an expiry lost", true, "PERSIST lease:3"),
  state("an expiry a second later", true, "PEXPIREAT lease:3 4102444801000"),
  state("an element of a list lost", true, "RPOP list:1"),
  state("two elements of a list swapped", true, "LSET list:1 0 b", "LSET list:1 1 a"),
  state("a field of a hash changed", true, "HSET hash:2 name other"),
  state("a score changed", true, "ZADD ranks 2.5000001 two"),
  state("a member of a set lost", true, "SREM set:1 x"),
  state("an entry of a stream lost", true, "XTRIM stream MAXLEN 2"),
  state("a key in another database", true, "MOVE text:9 3"),
  state("everything gone", true, "FLUSHALL"),
  state("keys in another order, the same values", false, "DEL text:1", "SET text:1 value-1"),
  state("a list written anew with the same elements", false, "DEL list:1", "RPUSH list:1 a b c d"),
  state("another compression of the snapshot", false, "CONFIG SET rdbcompression no"),
];
