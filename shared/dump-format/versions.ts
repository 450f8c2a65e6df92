import type { FaultList } from "./fault-list.ts";

/** The newest major whose dumps were looked at. */
const NEWEST = 18;
/** The oldest major that is verified. */
const OLDEST = 14;

/** Notes versions that are not known here, and a pg_dump older than its server. */
export function judgeVersions(
  versions: { readonly server: string | undefined; readonly dumper: string | undefined },
  subject: string,
  faults: FaultList,
): void {
  const server = majorOf(versions.server);
  const dumper = majorOf(versions.dumper);
  if (server === undefined || dumper === undefined) return;
  if (dumper < server) {
    faults.add({
      detector: "version",
      weight: "doubt",
      subject,
      what: "A pg_dump older than its server made it, which pg_dump refuses to do: its header was changed, or damaged.",
      expected: `pg_dump ${server} or newer`,
      found: `pg_dump ${versions.dumper}`,
    });
  }
  if (server < OLDEST || dumper > NEWEST) {
    faults.add({
      detector: "version",
      weight: "note",
      subject,
      what: `It comes from PostgreSQL ${versions.server} by pg_dump ${versions.dumper}; majors ${OLDEST} to ${NEWEST} are verified here.`,
    });
  }
}

/** 16 of `16.4 (Debian 16.4-1)`; 9 of `9.6.24`. */
export function majorOf(version: string | undefined): number | undefined {
  const digits = /^(\d+)/.exec(version ?? "")?.[1];
  return digits === undefined ? undefined : Number(digits);
}
