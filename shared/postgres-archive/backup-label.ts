import { type Lsn, parseLsn } from "./segment.ts";

/** What the server wrote into a base backup about where recovery begins. */
export interface BackupLabel {
  readonly start: Lsn;
  /** The name of the first segment. */
  readonly segment: string;
  readonly timeline: number;
  /** When it began, as the server wrote it. */
  readonly began: string;
  readonly label: string;
}

/** Reads `backup_label`; undefined where it is not what a server writes. Source: build_backup_content. */
export function readBackupLabel(text: string): BackupLabel | undefined {
  const start = /^START WAL LOCATION: ([0-9A-F]+\/[0-9A-F]+) \(file ([0-9A-F]{24})\)$/m.exec(text);
  const lsn = parseLsn(start?.[1] ?? "");
  const segment = start?.[2];
  if (lsn === undefined || segment === undefined) return undefined;
  if (!/^CHECKPOINT LOCATION: [0-9A-F]+\/[0-9A-F]+$/m.test(text)) return undefined;
  return {
    ...{ start: lsn, segment },
    timeline: Number.parseInt(segment.slice(0, 8), 16),
    began: /^START TIME: (.*)$/m.exec(text)?.[1] ?? "",
    label: /^LABEL: (.*)$/m.exec(text)?.[1] ?? "",
  };
}
