import { bytesOf, type SealExamination, type StoredBackup } from "../../shared/backup/index.ts";
import type { Evidence, Finding } from "../../shared/proof/index.ts";

/** What was restored from, in the words of the report. */
export interface Origin {
  /** Of the series, or of the files. */
  readonly name: string;
  readonly id: string;
  readonly kind: string;
  readonly subject: string;
  /** The moment that it shows, in milliseconds since the Unix epoch; undefined where nothing says it. */
  readonly moment: number | undefined;
  readonly bytes: number;
  readonly storedBytes: number;
  readonly findings: readonly Finding[];
  readonly unknown: readonly string[];
  readonly evidence: readonly Evidence[];
  /** Facts for the report, by name. */
  readonly circumstances: Readonly<Record<string, string>>;
}

/** A backup of our own as where something was restored from. */
export function originOf({ manifest }: StoredBackup, seal: SealExamination): Origin {
  return {
    ...{ name: manifest.name, id: manifest.id, kind: manifest.kind, subject: manifest.subject },
    moment: Date.parse(manifest.taken),
    ...bytesOf(manifest),
    ...{ findings: seal.findings, unknown: seal.unknown, evidence: seal.evidence },
    circumstances: {},
  };
}
