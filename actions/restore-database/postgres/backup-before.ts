import { writeBackup } from "../../../shared/backup/index.ts";
import { sealingSettings } from "../../../shared/backup-inputs/index.ts";
import { postgresSource } from "../../../shared/postgres-dump/index.ts";
import type { Means } from "../restored.ts";
import type { TargetServer } from "./server.ts";

/**
 * Backs up what is about to be replaced, into the same storage; gives its id, or undefined where
 * that is not wanted.
 */
export async function backUpBefore(
  { settings, database }: TargetServer,
  { options, storage, world }: Means,
): Promise<string | undefined> {
  if (!options.backupBefore) return undefined;
  const source = postgresSource({
    connection: { ...settings, database },
    ...{ format: "custom", binaries: options.postgresBin },
  });
  const sealing = sealingSettings({ ...options, encryption: "auto" });
  const name = `${options.name}-before-restore`.slice(-63).replace(/^[^a-z0-9]+/, "");
  const { manifest } = await writeBackup(source, storage, { name, sealing }, world);
  return manifest.id;
}
