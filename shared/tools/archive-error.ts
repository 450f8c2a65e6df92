import { UserError } from "../failure/index.ts";

/** An archive that cannot be used, though it is the one that the table names. */
export function archiveError(cause: string): UserError {
  return new UserError({
    title: "An archive cannot be unpacked",
    cause: `${cause} Nothing of it is used.`,
    remedy:
      "Where the entry is of your own table, correct its archive, programs and folder; else report it.",
  });
}
