import type { Outcome } from "../../shared/action/index.ts";
import type { WrittenBackup } from "../../shared/backup/index.ts";
import { bytesInWords, secondsInWords } from "../../shared/quantity/index.ts";
import type { OutputName } from "./inputs.ts";
import type { Story } from "./story.ts";
import { summarize } from "./summary.ts";

/** The step's outcome, once a backup is written. */
export function outcomeOf(written: WrittenBackup, story: Story): Outcome<OutputName> {
  const { manifest, folder, bytes, storedBytes } = written;
  const { storage, journal, world, retained } = story;
  const seconds = Math.round(journal.elapsed() / 100) / 10;
  for (const note of manifest.notes) world.log.info(note);
  const place = storage.place.replace(/^folder /, "").replace(/\/$/, "");
  const location = `${place}/${folder}`;
  world.log.info(
    `Backup ${manifest.id} of ${manifest.subject}: ${bytesInWords(bytes)}, ${bytesInWords(storedBytes)} as stored, in ${secondsInWords(seconds)}`,
  );
  return {
    outputs: {
      ...{ backup: manifest.id, location, kind: manifest.kind, taken: manifest.taken },
      ...{ bytes, "stored-bytes": storedBytes, measures: manifest.measures },
      fingerprint: manifest.fingerprint.sha256,
      manifest: written.manifestSha256,
      deleted: retained?.deleted ?? [],
      seconds,
    },
    summary: summarize(written, location, story),
    failure: retained?.failure,
  };
}
