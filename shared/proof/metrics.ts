import type { Verification } from "./verification.ts";

/** A gauge, its meaning, and its value; undefined where it was not measured. */
type Gauge = readonly [name: string, help: string, value: number | undefined];

/**
 * A verification as Prometheus' text format, for node_exporter's textfile collector or a
 * Pushgateway. Times are in seconds and sizes in bytes, as Prometheus wants them.
 *
 * Source: prometheus.io/docs/instrumenting/exposition_formats.
 */
export function metrics(verification: Verification): string {
  const { name, kind, tier, objectives } = verification;
  const labels = Object.entries({ backup: name, kind, tier })
    .map(([key, value]) => `${key}="${escaped(value)}"`)
    .join(",");
  return gaugesOf(verification, objectives)
    .flatMap(([gauge, help, value]) =>
      value === undefined
        ? []
        : [`# HELP ${gauge} ${help}`, `# TYPE ${gauge} gauge`, `${gauge}{${labels}} ${value}`],
    )
    .concat("")
    .join("\n");
}

function gaugesOf(
  verification: Verification,
  { age, rpo, restore, rto }: Verification["objectives"],
): readonly Gauge[] {
  const passed = verification.verdict === "passed";
  const verified = Date.parse(verification.verified) / 1_000;
  const taken =
    verification.taken === undefined ? undefined : Date.parse(verification.taken) / 1_000;
  const compared = verification.items.filter(({ same }) => same !== undefined);
  const weighing = (weight: string) =>
    verification.findings.filter((finding) => finding.weight === weight).length;
  return [
    ["seaworthy_backup_verified", "Whether the last verification passed.", passed ? 1 : 0],
    ["seaworthy_backup_verification_timestamp_seconds", "When it was verified.", verified],
    ["seaworthy_backup_taken_timestamp_seconds", "The moment that the backup shows.", taken],
    ["seaworthy_backup_age_seconds", "How old the backup was when it was verified.", age],
    ["seaworthy_backup_rpo_seconds", "How old it may be.", rpo],
    ["seaworthy_backup_restore_seconds", "How long the restore took.", restore],
    ["seaworthy_backup_rto_seconds", "How long it may take.", rto],
    ["seaworthy_backup_bytes", "Bytes of the backup before compression.", verification.bytes],
    ["seaworthy_backup_stored_bytes", "Bytes of the backup as stored.", verification.storedBytes],
    [
      "seaworthy_backup_items_compared",
      "Tables, indexes, databases or files compared.",
      compared.length,
    ],
    [
      "seaworthy_backup_items_different",
      "Those that differ.",
      compared.filter(({ same }) => !same).length,
    ],
    ["seaworthy_backup_damages", "Findings of damage.", weighing("damage")],
    ["seaworthy_backup_doubts", "Findings that cast doubt.", weighing("doubt")],
  ];
}

function escaped(value: string): string {
  return value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
}
