import type { Options } from "./inputs.ts";

/** The series of backups of what restores replaced. */
export function seriesBefore({ name }: Pick<Options, "name">): string {
  return `${name}-before-restore`.slice(-63).replace(/^[^a-z0-9]+/, "");
}
