import { createHash } from "node:crypto";

/** PostgreSQL cuts longer names, and two that are cut alike are the same. */
const LONGEST_NAME = 63;
/** Bytes that are left for the real name beside `_restoring_` and the id of a backup. */
const LONGEST_HEAD = LONGEST_NAME - "_restoring_20261122t011705z3f9a1c".length;
const SUM = 7;

/**
 * The name under which a restore is made, or a former database kept, beside the real one. A long
 * real name is cut, and then has a sum of the whole in it.
 *
 * @param id of a backup, or a time; left empty, the name is the beginning of all such.
 */
export function nameBeside(database: string, what: "restoring" | "before", id: string): string {
  return `${headOf(database)}_${what}_${id.replace(/[^0-9a-zA-Z]/g, "").toLowerCase()}`;
}

function headOf(database: string): string {
  if (Buffer.byteLength(database) <= LONGEST_HEAD) return database;
  const sum = createHash("sha256")
    .update(database)
    .digest("hex")
    .slice(0, SUM - 1);
  const letters = [...database];
  while (Buffer.byteLength(letters.join("")) > LONGEST_HEAD - SUM) letters.pop();
  return `${letters.join("")}_${sum}`;
}
