import { type Listed, thawFiles } from "../../shared/backup/index.ts";
import type { Means } from "./restored.ts";

/** Has what an archive's storage class froze made readable, and waits for it. */
export async function thaw(
  { id, files }: Pick<Listed, "id" | "files">,
  { options, storage, world }: Means,
): Promise<void> {
  const settings = { tier: options.thawTier, days: options.thawDays };
  await thawFiles(storage, files, { what: id, settings }, world);
}
