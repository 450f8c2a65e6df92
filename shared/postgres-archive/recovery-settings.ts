import { join } from "node:path";
import { CommandFailed, execute } from "../process/index.ts";
import type { World } from "../world/index.ts";
import type { ClusterFolder } from "./cluster-folder.ts";
import { type Lsn, lsnText } from "./segment.ts";
import { momentText } from "./target.ts";

/**
 * How far recovery goes: to a moment or behind a record, where it pauses; to the end of the WAL,
 * where it opens for writing; or nowhere, when it has opened already.
 */
export type Goal = { readonly time: number } | { readonly lsn: Lsn } | "latest" | undefined;

/** What the cluster's own control file says, as pg_controldata tells it. */
export interface ControlFacts {
  readonly checksums: boolean;
  /** Settings that a server that recovers may not have less of. */
  readonly least: Readonly<Record<string, number>>;
}

const LEAST: Readonly<Record<string, string>> = {
  max_connections: "max_connections",
  max_worker_processes: "max_worker_processes",
  max_wal_senders: "max_wal_senders",
  max_prepared_transactions: "max_prepared_xacts",
  max_locks_per_transaction: "max_locks_per_xact",
};

/** Room for what was raised at the source while the WAL was written. */
const FLOOR: Readonly<Record<string, number>> = {
  max_connections: 500,
  max_worker_processes: 32,
  max_wal_senders: 20,
  max_prepared_transactions: 100,
  max_locks_per_transaction: 256,
};

/** @returns the words of pg_controldata where it cannot read the file. */
export async function readControl(
  bin: string,
  data: string,
  { signal, secrets }: World,
): Promise<ControlFacts | string> {
  try {
    const { stdout, stderr } = await execute(
      { program: join(bin, "pg_controldata"), args: ["-D", data], environment: { LC_ALL: "C" } },
      { signal, secrets, deadline: 30_000 },
    );
    const warning = /WARNING: (.*)/.exec(`${stdout}\n${stderr}`)?.[1];
    if (warning !== undefined) return warning;
    const value = (name: string) =>
      Number(new RegExp(`^${name}[^:]*:\\s+(\\d+)`, "m").exec(stdout)?.[1] ?? 0);
    return {
      checksums: value("Data page checksum version") > 0,
      least: Object.fromEntries(
        Object.entries(LEAST).map(([name, told]) => [name, value(`${told} setting`)]),
      ),
    };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof CommandFailed)) throw error;
    return error.stderrTail.trim().split("\n").at(-1) ?? error.message;
  }
}

/**
 * A configuration that has nothing of the source's: no program that it would run, no server that it
 * would connect to, no library that it would load.
 */
export function configurationOf(
  {
    control,
    timeline,
    memory,
    major,
  }: {
    readonly control: ControlFacts;
    readonly timeline: number;
    readonly memory: number;
    readonly major: number;
  },
  folder: ClusterFolder,
  goal: Goal,
): string {
  const buffers = Math.max(32, Math.min(512, Math.floor(memory / 8 / 2 ** 20)));
  const lines: [string, string][] = [
    ["listen_addresses", ""],
    ["unix_socket_directories", folder.path],
    ["unix_socket_permissions", "0700"],
    ["port", "5432"],
    ["shared_buffers", `${buffers}MB`],
    ...Object.entries(FLOOR).map(([name, floor]): [string, string] => [
      name,
      String(Math.max(floor, control.least[name] ?? 0)),
    ]),
    ["hot_standby", "on"],
    ["archive_mode", "off"],
    ["max_logical_replication_workers", "0"],
    ["autovacuum", "off"],
    ["fsync", "off"],
    ["full_page_writes", "off"],
    ["jit", "off"],
    ["huge_pages", "off"],
    ["ssl", "off"],
    ["restart_after_crash", "off"],
    ["logging_collector", "off"],
    ["log_destination", "stderr"],
    ["log_min_messages", "log"],
    ["log_min_error_statement", "panic"],
    ["lc_messages", "C"],
    ["log_timezone", "UTC"],
    ["timezone", "UTC"],
    ...(major >= 17 ? [["event_triggers", "off"] as [string, string]] : []),
    ...recoveryTo(goal, folder, timeline),
  ];
  return `${lines.map(([name, value]) => `${name} = '${quoted(value)}'`).join("\n")}\n`;
}

function recoveryTo(goal: Goal, folder: ClusterFolder, timeline: number): [string, string][] {
  if (goal === undefined) return [];
  // For the server's shell: the folder is ours, and the server puts in names of its own making.
  const wal = folder.wal.replaceAll("%", "%%").replaceAll("'", "'\\''");
  const lines: [string, string][] = [
    ["restore_command", `cp -- '${wal}/%f' "%p"`],
    ["recovery_target_timeline", String(timeline)],
  ];
  if (goal === "latest") return lines;
  const target: [string, string] =
    "time" in goal
      ? ["recovery_target_time", momentText(goal.time)]
      : ["recovery_target_lsn", lsnText(goal.lsn)];
  return [
    ...lines,
    target,
    ["recovery_target_inclusive", "on"],
    ["recovery_target_action", "pause"],
  ];
}

function quoted(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("'", "''");
}
