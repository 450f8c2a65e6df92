import { environmentOf } from "../../postgres/index.ts";
import type { RestoreTarget } from "../target.ts";
import { eachLine } from "./lines.ts";
import { type RestoreOutput, RestoreOutputReader } from "./restore-output.ts";

/** All that a program says comes as one stream, however much it is. */
const BOTH_STREAMS = ["-c", 'exec "$@" 2>&1', "sh"];

/** A run of pg_restore. */
interface Run {
  readonly args: readonly string[];
  /** Called once, when it is done with the definitions and begins with the rows. */
  readonly onRows?: (() => void) | undefined;
}

/** Runs pg_restore into a database, and reads what it says. */
export async function restoreBy(
  target: RestoreTarget,
  database: string,
  { args, onRows }: Run,
  signal: AbortSignal,
): Promise<RestoreOutput> {
  const connection = target.connection(database, "restorer");
  const running = await target.place.start(
    {
      program: "sh",
      args: [
        ...BOTH_STREAMS,
        target.programs.pgRestore,
        "-w",
        "-d",
        connection.conninfo || database,
        ...args,
      ],
      environment: environmentOf(connection),
    },
    signal,
  );
  const reader = new RestoreOutputReader(onRows);
  await eachLine(running.stdout, (line) => reader.line(line)).catch(() => {});
  const ended = await running.ended;
  signal.throwIfAborted();
  return reader.end(ended.exitCode);
}

/** Runs pg_restore without a server, and gives each line that it prints. */
export async function readBy(
  target: RestoreTarget,
  args: readonly string[],
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<{ readonly problem: string | undefined }> {
  const running = await target.place.start(
    {
      program: target.programs.pgRestore,
      args,
      environment: { LC_ALL: "C", PGCLIENTENCODING: "UTF8" },
    },
    signal,
  );
  await eachLine(running.stdout, onLine).catch(() => {});
  const ended = await running.ended;
  signal.throwIfAborted();
  if (ended.exitCode === 0) return { problem: undefined };
  const said = /pg_restore: error: (.*)/.exec(ended.stderr)?.[1];
  return { problem: said ?? ended.message };
}
