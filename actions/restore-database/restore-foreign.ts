import { foreignDump, isBaseBackup } from "../../shared/backup/index.ts";
import { decryptionBy } from "../../shared/sealing/index.ts";
import type { Chosen } from "./choose.ts";
import type { Origin } from "./origin.ts";
import type { Means, Restored } from "./restored.ts";
import { thaw } from "./thaw.ts";

/** Restores what another tool made; what it is, its files tell. */
export async function restoreForeign(
  chosen: Exclude<Chosen, { readonly form: "own" }>,
  means: Means,
): Promise<{ readonly origin: Origin; readonly restored: Restored }> {
  const { options, storage, world, journal } = means;
  if (chosen.form === "repository") {
    const { restoreRepository } = await import("./postgres/physical/restore-physical.ts");
    return await restoreRepository(chosen.kind, means);
  }
  const { backup } = chosen;
  await journal.phase("thaw", () => thaw({ id: backup.name, files: backup.files }, means));
  const dump = foreignDump(storage, backup);
  const { identity: identities, passphrase, kind, wal } = options;
  const decrypt = await decryptionBy({ identities, passphrase }, world.secrets);
  if (kind === "auto" ? wal !== undefined || isBaseBackup(dump) : kind === "base-backup") {
    const { restoreBaseBackup } = await import("./postgres/physical/restore-physical.ts");
    return await restoreBaseBackup({ backup, dump, decrypt }, means);
  }
  const { restoreForeignDump } = await import("./postgres/foreign/restore-foreign-dump.ts");
  return await restoreForeignDump({ backup, dump, decrypt }, means);
}
