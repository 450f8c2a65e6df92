import type { Ledger } from "./ledger.ts";
import type { BaseFacts } from "./read-base.ts";
import type { Ending, WalFindings } from "./read-wal.ts";
import type { RecoveryServer } from "./recovery-server.ts";
import type { Goal } from "./recovery-settings.ts";
import { lsnText } from "./segment.ts";
import { millisecondsOf, momentText, type RecoveryTarget } from "./target.ts";

/** How far a server says that it replayed. */
export interface State {
  readonly lsn: number;
  /** Of its last transaction, in microseconds since 2000-01-01. */
  readonly time: number | undefined;
}

/**
 * Whether the wanted moment is within what can be recovered to: behind the end of the base backup,
 * and before a transaction of the WAL, or exactly at its last one.
 */
export function judgeTarget(
  target: RecoveryTarget | undefined,
  { label }: Pick<BaseFacts, "label">,
  wal: Pick<WalFindings, "stop" | "consistent" | "last">,
  ledger: Ledger,
): void {
  if (target === undefined) return;
  const wanted = momentText(target.time);
  const { stop, consistent, last } = wal;
  const began = Date.parse(
    label?.began.replace(/ (\S+)$/, (_, zone: string) =>
      /^(UTC|GMT)$/.test(zone) ? "Z" : ` ${zone}`,
    ) ?? "",
  );
  const tooEarly = stop !== undefined && consistent !== undefined && stop.start < consistent;
  const beforeBegin = !Number.isNaN(began) && millisecondsOf(target.time) < began;
  if (tooEarly || beforeBegin) {
    ledger.damage(
      "point-in-time",
      `point in time ${wanted}`,
      `It is before the end of the base backup (which began at ${label?.began}): a base backup can only be recovered to a moment after it. An older one is needed.`,
      {
        expected: `later than ${consistent === undefined ? label?.began : lsnText(consistent)}`,
        found: wanted,
      },
    );
  } else if (stop === undefined && last?.time !== target.time) {
    ledger.damage(
      "point-in-time",
      `point in time ${wanted}`,
      last === undefined
        ? "The WAL has no transaction in it, so that nothing tells where this moment lies."
        : `It is beyond the end of the WAL: its last transaction ended at ${momentText(last.time)}, and nothing later can be recovered or told from what was lost.`,
      {
        expected: `a transaction later than ${wanted}`,
        found: last === undefined ? "none" : momentText(last.time),
      },
    );
  }
}

/**
 * What a server is told to recover to. It stops at a time only where something later follows; at the
 * very last transaction it is stopped by its place.
 */
export function goalOf(
  target: RecoveryTarget | undefined,
  { stop, last }: Pick<WalFindings, "stop" | "last">,
): Goal {
  if (target === undefined) return "latest";
  return stop === undefined && last !== undefined ? { lsn: last.start } : { time: target.time };
}

/** Asks a server how far it replayed. */
export async function stateOf(server: RecoveryServer): Promise<State> {
  await using session = await server.session("postgres");
  const [row] = await session.query<{ lsn: string; time: string | null }>(
    `SELECT (pg_last_wal_replay_lsn() - '0/0')::text AS lsn,
            round(extract(epoch FROM pg_last_xact_replay_timestamp() - '2000-01-01 00:00:00+00'::timestamptz) * 1000000)::text AS time`,
  );
  return { lsn: Number(row?.lsn ?? 0), time: row?.time == null ? undefined : Number(row.time) };
}

/** Whether what a transaction wrote can be seen. */
export async function isVisible(server: RecoveryServer, { transaction }: Ending): Promise<boolean> {
  await using session = await server.session("postgres");
  const [row] = await session.query<{ seen: boolean }>(
    `SELECT pg_visible_in_snapshot((epoch.base + ${transaction})::text::xid8, pg_current_snapshot()) AS seen
     FROM (SELECT (pg_snapshot_xmax(pg_current_snapshot())::text::numeric / 4294967296)::numeric AS x) now,
          LATERAL (SELECT trunc(now.x) * 4294967296 AS base) epoch`,
  );
  return row?.seen === true;
}

/** The names of the databases that a server lets one connect to, without templates. */
export async function databasesOf(server: RecoveryServer): Promise<readonly string[]> {
  await using session = await server.session("postgres");
  const rows = await session.query<{ name: string }>(
    "SELECT datname AS name FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname",
  );
  return rows.map(({ name }) => name);
}

/** Holds that a server came to the end of the WAL. */
export function holdEnd(state: State, wal: WalFindings, ledger: Ledger): void {
  if (state.lsn < (wal.last?.end ?? wal.end)) {
    ledger.damage("recovery", "WAL", "The server ended recovery before the end of the WAL.", {
      expected: lsnText(wal.end),
      found: lsnText(state.lsn),
    });
  } else if (wal.last !== undefined && state.time !== wal.last.time) {
    ledger.damage(
      "recovery",
      "WAL",
      "The last transaction that the server replayed is not the last one of the WAL.",
      {
        expected: momentText(wal.last.time),
        found: state.time === undefined ? "none" : momentText(state.time),
      },
    );
  }
}

/**
 * Holds that a server stands at the target: everything up to it is there, and nothing behind it.
 *
 * @returns where that is, in words.
 */
export async function holdTarget(
  server: RecoveryServer,
  state: State,
  target: RecoveryTarget,
  { before, stop, next, consistent }: WalFindings,
  ledger: Ledger,
): Promise<string> {
  const wanted = momentText(target.time);
  const subject = `point in time ${wanted}`;
  const from = before === undefined ? "the beginning" : momentText(before.time);
  const bounds =
    stop === undefined
      ? `at the last transaction of the WAL, ${from}`
      : `between the transactions of ${from} and ${momentText(stop.time)}`;
  if (state.lsn > (stop?.start ?? Infinity) || state.lsn < (before?.end ?? consistent ?? 0)) {
    ledger.damage("point-in-time", subject, `The server did not stop ${bounds}.`, {
      expected: `${before === undefined ? "" : lsnText(before.end)} to ${stop === undefined ? "" : lsnText(stop.start)}`,
      found: lsnText(state.lsn),
    });
  }
  // A server that was stopped by a place in the WAL does not tell the time of the record there.
  const isTold = stop !== undefined && state.time !== undefined;
  if (isTold && before !== undefined && state.time !== before.time) {
    ledger.damage(
      "point-in-time",
      subject,
      "The last transaction that it replayed is not the last one before this moment.",
      { expected: momentText(before.time), found: momentText(state.time ?? 0) },
    );
  }
  if (
    stop === undefined &&
    before?.committed === true &&
    before.transaction > 0 &&
    !(await isVisible(server, before))
  ) {
    ledger.damage(
      "point-in-time",
      subject,
      `Transaction ${before.transaction}, committed at this moment, is not there.`,
    );
  }
  if (next !== undefined && (await isVisible(server, next))) {
    ledger.damage(
      "point-in-time",
      subject,
      `Transaction ${next.transaction}, committed later, at ${momentText(next.time)}, is there already.`,
    );
  }
  return `${wanted}, ${bounds}`;
}
