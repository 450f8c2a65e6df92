import type { ByteReader } from "./byte-reader.ts";
import { lengthOf, longLength, textToken } from "./rdb-text.ts";
import type { Value } from "./value.ts";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/**
 * Skips a value that a module wrote: its parts have a form, their meaning nobody else knows.
 *
 * @throws {RdbDamage}
 */
export async function moduleValue(reader: ByteReader): Promise<Value> {
  const module = moduleName(await longLength(reader));
  await skipParts(reader);
  return { kind: "module", elements: 1, digest: Buffer.alloc(0), module };
}

/** What a module wrote beside the keys; gives the module's name. */
export async function skipModuleData(reader: ByteReader): Promise<string> {
  const module = moduleName(await longLength(reader));
  await lengthOf(reader);
  await lengthOf(reader);
  await skipParts(reader);
  return module;
}

/** What modules keep of a key (Redis 8.4); gives the number of them. */
export async function skipKeyMetadata(reader: ByteReader): Promise<number> {
  const classes = await lengthOf(reader);
  for (let index = 0; index < classes; index += 1) {
    await reader.bytes(4);
    await skipParts(reader);
  }
  return classes;
}

/** Source: redis/redis, src/module.c, "moduleTypeNameByID": 9 letters of 6 bits, 10 of version. */
function moduleName(id: bigint): string {
  let rest = id >> 10n;
  let name = "";
  for (let letter = 0; letter < 9; letter += 1) {
    name = `${LETTERS[Number(rest & 63n)]}${name}`;
    rest >>= 6n;
  }
  return name;
}

/** Source: redis/redis, src/rdb.h, "RDB_MODULE_OPCODE_". */
async function skipParts(reader: ByteReader): Promise<void> {
  for (;;) {
    const opcode = await lengthOf(reader);
    if (opcode === 0) return;
    if (opcode === 1 || opcode === 2) await longLength(reader);
    else if (opcode === 3) await reader.bytes(4);
    else if (opcode === 4) await reader.bytes(8);
    else if (opcode === 5) await textToken(reader);
    else throw reader.damage(`holds a part of a module's value of an unknown form (${opcode})`);
  }
}
