import { resolve } from "node:path";
import { UserError } from "../../shared/failure/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Means } from "./means.ts";
import { settingsOf } from "./physical.ts";
import type { Found } from "./verification.ts";

/** Examines a backup in a repository of pgBackRest, by pgbackrest itself and a server of its own. */
export async function examineStanza(
  stanza: string,
  { options, declared }: Means,
  world: World,
): Promise<Found> {
  const { storage, passphrase, database, tier } = options;
  if (storage.includes(":")) throw notFolder(storage);
  const folder = resolve(world.environment.GITHUB_WORKSPACE ?? process.cwd(), storage);
  const { backupsIn, chooseSet, examineRepository } = await import(
    "../../shared/postgres-archive/index.ts"
  );
  const repository = { stanza, folder, passphrase };
  const settings = await settingsOf(options);
  const backups = await backupsIn(repository, world);
  const set = chooseSet(backups, options.backup, settings.target);
  const known = { database, ...declared };
  const examination = await examineRepository(repository, set, { known, settings }, tier, world);
  return {
    described: {
      ...{ name: stanza, backup: set.label, kind: "pgbackrest" },
      subject: `${set.label}, a backup of pgBackRest's stanza ${stanza}`,
      taken: examination.newest ?? set.stopped,
      ...{ bytes: set.bytes, storedBytes: set.storedBytes },
    },
    ...{ examination, findings: [], unknown: [], evidence: [], earlier: [] },
  };
}

function notFolder(storage: string): UserError {
  return new UserError({
    title: "The repository of pgBackRest is no folder",
    cause: `storage is ${storage}, and pgbackrest is given a repository in a folder of this machine only.`,
    remedy: "Mount it, or copy it into a folder in an earlier step, and give that folder.",
  });
}
