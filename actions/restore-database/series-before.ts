import type { Options } from "./inputs.ts";

/**
 * The series of backups of what restores replaced: named after the series that is restored, or after
 * the database where what is restored belongs to none.
 */
export function seriesBefore({
  name,
  replace,
  database,
}: Pick<Options, "name" | "replace" | "database">): string {
  const whose = (name ?? replace ?? database ?? "target").toLowerCase();
  return `${whose.replace(/[^a-z0-9._-]+/g, "-")}-before-restore`
    .slice(-63)
    .replace(/^[^a-z0-9]+/, "");
}
