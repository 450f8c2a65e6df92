import { once } from "node:events";
import type { Readable } from "node:stream";
import { UserError } from "../failure/index.ts";
import type { Ended, PlaceCommand, Running } from "./place.ts";

/** Starts a program elsewhere, with an input. What is cut off from it may go on there. */
export type StartElsewhere = (argv: readonly string[], signal: AbortSignal) => Promise<Running>;

/**
 * Waits, as a shell in the container, for the environment of a program, one variable a line and a
 * dot at the end, and becomes the program. It begins by telling its process id, which is also that
 * of its process group. Variables come by its input since arguments are seen by everybody.
 */
const WRAPPER = `if ! command -v "$2" > /dev/null; then echo absent; exit 127; fi
echo "$$"
ready=
while IFS= read -r line; do
  if [ "$line" = . ]; then ready=yes; break; fi
  export "$line"
done
[ -n "$ready" ] || exit 125
input=$1
shift
if [ "$input" = closed ]; then exec "$@" < /dev/null; fi
exec "$@"`;

/**
 * Holds a program's life by its own input: unless told that the program is over, it ends the
 * program's group when the input ends, and that ends with the connection, however that goes.
 */
const LIFELINE = `echo held
word=
read -r word
[ "$word" = over ] && exit 0
kill -s TERM -- "-$1" 2> /dev/null || kill -s TERM "$1" 2> /dev/null
tries=0
while [ "$tries" -lt 3 ] && kill -s 0 "$1" 2> /dev/null; do sleep 1; tries=$((tries + 1)); done
kill -s KILL -- "-$1" 2> /dev/null || kill -s KILL "$1" 2> /dev/null
exit 0`;

/** How long a program that is being ended may take until its connection is given up. */
const ENDING_MS = 4_500;

/**
 * Runs a program where cutting the connection does not end it: in a container. A second connection
 * holds its life, so that it ends when it is asked to, when the signal aborts, and when this
 * process or the network is gone. The container needs a shell, `sh`.
 *
 * @throws {UserError} where there is no shell or no such program.
 */
export async function startSupervised(
  command: PlaceCommand,
  start: StartElsewhere,
  { signal, name }: { readonly signal: AbortSignal; readonly name: string },
): Promise<Running> {
  signal.throwIfAborted();
  const lines = linesOf(command, name);
  // Cut only when the life line has had its time to end the program.
  const connections = new AbortController();
  const opening = AbortSignal.any([signal, connections.signal]);
  const input = command.input === true ? "open" : "closed";
  const argv = ["sh", "-c", WRAPPER, "sh", input, command.program, ...command.args];
  const running = await start(argv, connections.signal);
  try {
    const pid = await within(opening, firstLine(running.stdout));
    if (!/^\d+$/.test(pid)) throw notStarted(command, name, pid, await running.ended);
    const lifeline = await start(["sh", "-c", LIFELINE, "lifeline", pid], connections.signal);
    await within(opening, firstLine(lifeline.stdout));
    lifeline.stdout.resume();
    running.stdin.write(lines);
    return held(running, lifeline, { signal, connections, command });
  } catch (error) {
    connections.abort();
    throw error;
  }
}

interface Holding {
  readonly signal: AbortSignal;
  readonly connections: AbortController;
  readonly command: PlaceCommand;
}

function held(running: Running, lifeline: Running, holding: Holding): Running {
  const { signal, connections, command } = holding;
  let late: NodeJS.Timeout | undefined;
  let over = false;
  const end = () => {
    if (over || late !== undefined) return;
    lifeline.stdin.write("end\n");
    // Its output need not be read any more; a program that waits for a reader hears nothing.
    running.stdout.resume();
    late = setTimeout(() => connections.abort(), ENDING_MS);
  };
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  const ended = running.ended.then((how): Ended => {
    over = true;
    clearTimeout(late);
    signal.removeEventListener("abort", end);
    if (how.exitCode !== undefined) lifeline.stdin.write("over\n");
    else lifeline.end();
    return signal.aborted
      ? { ...how, message: `${command.program} was ended because the job was cancelled` }
      : how;
  });
  return { stdin: running.stdin, stdout: running.stdout, ended, end };
}

/** The environment as the wrapper reads it. */
function linesOf({ environment = {} }: PlaceCommand, name: string): string {
  const lines = Object.entries(environment).map(([key, value]) => {
    if (!/[\n\r\0]/.test(value)) return `${key}=${value}\n`;
    throw new UserError({
      title: `${key} cannot be passed on`,
      cause: `The value of ${key} has a line break in it, which cannot be passed on to ${name}.`,
      remedy: "Use a value of one line.",
    });
  });
  return `${lines.join("")}.\n`;
}

/** Takes the first line off a stream, and leaves the rest to who reads it next. */
async function firstLine(stream: Readable): Promise<string> {
  let begun = Buffer.alloc(0);
  for (;;) {
    const chunk = stream.read() as Buffer | null;
    if (chunk === null) {
      if (stream.readableEnded || stream.destroyed) return begun.toString();
      await Promise.race([once(stream, "readable"), once(stream, "end"), once(stream, "close")]);
      continue;
    }
    begun = Buffer.concat([begun, chunk]);
    const end = begun.indexOf("\n");
    if (end < 0) continue;
    const rest = begun.subarray(end + 1);
    if (rest.length > 0) stream.unshift(rest);
    return begun.subarray(0, end).toString();
  }
}

async function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function notStarted(
  { program }: PlaceCommand,
  name: string,
  line: string,
  { message, stderr }: Ended,
): UserError {
  if (line === "absent") {
    return new UserError({
      title: `${program} cannot be run`,
      cause: `${program} was not found on the PATH, in ${name}.`,
      remedy: `Name a container that has ${program}, or run it on the runner against the server's address.`,
    });
  }
  const said = (stderr.trim() || message).replace(/\.$/, "");
  return new UserError({
    title: `${program} cannot be run`,
    cause: `No shell could be started in ${name}: ${said}.`,
    remedy:
      "The container needs sh, and has to run. Where it has none, run on the runner against the server's address.",
    ...(stderr.trim() === "" ? {} : { evidence: stderr.trim() }),
  });
}
