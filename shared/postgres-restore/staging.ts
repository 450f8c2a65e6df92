import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { UserError } from "../failure/index.ts";
import type { Place } from "../place/index.ts";
import type { Staging } from "./target.ts";

/**
 * The shell has to outlive `cat`: containerd ends a program's input once nothing holds its output,
 * though all of it is not read yet. What has come is counted all the same.
 */
const WRITE = `umask 077 && mkdir -p "$(dirname "$1")" && cat > "$1" && wc -c < "$1"`;

/**
 * A private folder at any place; it is made with its first file, and removed when it is disposed of.
 *
 * @param folder an absolute path there.
 */
export function stagingAt(place: Place, folder: string): Staging & AsyncDisposable {
  const path = (name: string) => (name === "" ? folder : `${folder}/${name}`);
  return {
    path,
    async write(name, content, signal) {
      let bytes = 0;
      const counted = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          bytes += chunk.length;
          done(null, chunk);
        },
      });
      pipeline(content, counted).catch(() => {});
      const written = await runAt(place, ["sh", "-c", WRITE, "sh", path(name)], signal, counted);
      if (Number(written) !== bytes) throw cutOff(place, name, { bytes, written: written.trim() });
      return path(name);
    },
    async [Symbol.asyncDispose]() {
      const signal = AbortSignal.timeout(5_000);
      // A place that is gone has taken the folder with it.
      await runAt(place, ["rm", "-rf", "--", folder], signal).catch(() => {});
    },
  };
}

function cutOff(
  place: Place,
  name: string,
  { bytes, written }: { readonly bytes: number; readonly written: string },
): UserError {
  return new UserError({
    title: "A file was cut off on its way",
    cause: `Of ${bytes} bytes of ${name}, ${written} came to ${place.name}.`,
    remedy: "Run again: the connection to it lost the rest.",
  });
}

/**
 * Runs a program at a place to its end, and gives what it printed.
 *
 * @throws {UserError} with its words where it fails.
 */
export async function runAt(
  place: Place,
  [program = "", ...args]: readonly string[],
  signal: AbortSignal,
  input?: Readable,
): Promise<string> {
  const running = await place.start({ program, args, input: input !== undefined }, signal);
  const fed = input === undefined ? undefined : pipeline(input, running.stdin, { signal });
  // How the program ended says more than that its input broke.
  const broke = fed?.then(
    () => undefined,
    (error: unknown) => error,
  );
  let printed = "";
  for await (const chunk of running.stdout) printed += String(chunk);
  const { exitCode, message, stderr } = await running.ended;
  signal.throwIfAborted();
  const problem = await broke;
  if (exitCode === 0 && problem === undefined) return printed;
  if (exitCode === 0) throw problem;
  throw new UserError({
    title: `${program} failed`,
    cause: `On ${place.name}, ${message}: ${stderr.trim().split("\n").at(-1) ?? ""}.`,
    remedy: "See what it said below.",
    evidence: stderr,
  });
}
