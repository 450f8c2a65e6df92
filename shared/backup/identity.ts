import { randomBytes } from "node:crypto";
import { UserError } from "../failure/index.ts";

/** The files of a backup that are no parts. */
export const MANIFEST = "manifest.json";
export const SIGNATURE = "manifest.json.sig";
export const FINGERPRINT = "fingerprint.json";
/** Where verifications are kept, beside the manifest. */
export const VERIFICATIONS = "verifications/";

const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const ID = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-([0-9a-f]{6})$/;

/** @throws {UserError} where a series of backups cannot be called so. */
export function checkSeriesName(name: string): void {
  if (NAME.test(name)) return;
  throw new UserError({
    title: "No name for a series of backups",
    cause: `${JSON.stringify(name.slice(0, 100))} cannot be a folder's name in every storage.`,
    remedy: "Use up to 63 letters, digits, dots, hyphens and underscores, such as `papers`.",
  });
}

/** An id for a backup that begins now: sorts by age, and no other run has it. */
export function newBackupId(now: number): string {
  const time = new Date(now).toISOString().replace(/[-:]|\.\d+/g, "");
  return `${time}-${randomBytes(3).toString("hex")}`;
}

/** When the backup with this id began, in milliseconds since the Unix epoch; undefined for none. */
export function timeOfId(id: string): number | undefined {
  const match = ID.exec(id);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time) ? undefined : time;
}

/** A backup's folder in the storage, its slash included. */
export function folderOf(name: string, id: string): string {
  return `${name}/${id}/`;
}
