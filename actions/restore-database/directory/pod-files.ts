import { randomUUID } from "node:crypto";
import { text } from "node:stream/consumers";
import type { StoredBackup } from "../../../shared/backup/index.ts";
import { podSettings } from "../../../shared/backup-inputs/index.ts";
import {
  type DirectoryFingerprint,
  directorySource,
  restoreThere,
} from "../../../shared/directory/index.ts";
import { describe, UserError } from "../../../shared/failure/index.ts";
import type { Place } from "../../../shared/place/index.ts";
import type { World } from "../../../shared/world/index.ts";
import type { Options } from "../inputs.ts";
import type { Files, Move, PathKind } from "./files.ts";

/**
 * Finds the pod that the inputs name, and its container's file system.
 *
 * @throws {UserError} where there is none that is ready.
 */
export async function openPodFiles(options: Options, world: World): Promise<Files> {
  const settings = podSettings(options);
  if (settings === undefined) throw new Error("no pod was named");
  const { connect } = await import("../../../shared/kubernetes/index.ts");
  const { findPod, podPlace } = await import("../../../shared/place/index.ts");
  const cluster = await connect(settings, world);
  const pod = await findPod(cluster, settings);
  return new PodFiles(podPlace(cluster, pod, world.secrets), world);
}

const KIND = `if [ -L "$1" ]; then echo link; elif [ -d "$1" ]; then echo folder
elif [ -e "$1" ]; then echo other; else echo absent; fi`;
const REAL = `p=$1; rest=
while [ ! -e "$p" ] && [ "$p" != / ]; do rest="/$(basename "$p")$rest"; p=$(dirname "$p"); done
r=$(readlink -f "$p") && printf '%s%s\\n' "\${r%/}" "$rest"`;
const NAMES = `cd "$1" || exit 1
for f in * .[!.]* ..?*; do if [ -e "$f" ] || [ -L "$f" ]; then printf '%s\\0' "$f"; fi; done`;
const FOLDER = `if mkdir -m 700 "$1" 2>/dev/null; then echo made
elif [ -e "$1" ]; then echo there; else mkdir -m 700 "$1"; fi`;
const AROUND = `around() { [ -e "$1" ] || { around "$(dirname "$1")" && mkdir "$1" && printf '%s\\0' "$1"; }; }
around "$(dirname "$1")"`;
const CREATE = `if [ -e "$1" ]; then echo there; exit 0; fi
set -C; cat > "$1" && echo made`;
const READ = `if [ -f "$1" ]; then echo found; cat "$1"; else echo none; fi`;
const MOVE = `while IFS= read -r from && IFS= read -r to; do
  if [ -e "$to" ] || [ -L "$to" ]; then echo "$to is there already" >&2; exit 17; fi
  mv "$from" "$to" || exit 1
done`;
const IDLE = `[ -e "$1" ] || { echo none; exit 0; }
now=$(date +%s) && then=$(stat -c %Y "$1") && echo $((now - then))`;
const ALIVE = `while touch "$1"; do sleep 5; done`;
const FLUSH = `sync -f "$1" 2>/dev/null || sync 2>/dev/null || :`;
const TRAITS = `facts=$(stat -c '%u:%g %a' "$2") || exit 0
chown "\${facts% *}" "$1" 2>/dev/null; chmod "\${facts#* }" "$1" 2>/dev/null || :`;

/** The file system of a container, worked on by its own shell. */
class PodFiles implements Files {
  readonly where: string;
  readonly #place: Place;
  readonly #world: World;

  constructor(place: Place, world: World) {
    this.where = ` of ${place.name}`;
    this.#place = place;
    this.#world = world;
  }

  async real(path: string): Promise<string> {
    const [first = ""] = (await this.#run(REAL, [path])).split("\n");
    return first === "" ? "/" : first;
  }

  async kindOf(path: string): Promise<PathKind> {
    return (await this.#run(KIND, [path])).trim() as PathKind;
  }

  async names(folder: string): Promise<readonly string[]> {
    return (await this.#run(NAMES, [folder])).split("\0").slice(0, -1).sort();
  }

  async isMount(path: string): Promise<boolean> {
    const mounts = await this.#run(`cat /proc/self/mountinfo`, []);
    const unescaped = (each: string) =>
      each.replace(/\\([0-7]{3})/g, (_, digits: string) =>
        String.fromCharCode(Number.parseInt(digits, 8)),
      );
    return mounts.split("\n").some((line) => unescaped(line.split(" ")[4] ?? "") === path);
  }

  async makeFolder(path: string): Promise<boolean> {
    return (await this.#run(FOLDER, [path])).trim() !== "there";
  }

  async makeAround(path: string): Promise<readonly string[]> {
    return (await this.#run(AROUND, [path])).split("\0").slice(0, -1);
  }

  async removeEmpty(folder: string): Promise<void> {
    await this.#run(`rmdir "$1" 2>/dev/null || :`, [folder]);
  }

  async create(path: string, content: string): Promise<boolean> {
    return (await this.#run(CREATE, [path], content)).trim() === "made";
  }

  async read(path: string): Promise<string | undefined> {
    const said = await this.#run(READ, [path]);
    return said.startsWith("found\n") ? said.slice("found\n".length) : undefined;
  }

  async move(moves: readonly Move[], signal: AbortSignal): Promise<void> {
    if (moves.length === 0) return;
    const lines = moves.flatMap(({ from, to }) => [from, to]);
    const odd = lines.find((path) => /[\n\0]/.test(path));
    if (odd !== undefined) throw oddName(odd);
    await this.#run(MOVE, [], `${lines.join("\n")}\n`, signal);
  }

  async remove(path: string, signal: AbortSignal): Promise<void> {
    await this.#run(`rm -rf "$1"`, [path], undefined, signal);
  }

  async idle(path: string): Promise<number | undefined> {
    const said = (await this.#run(IDLE, [path])).trim();
    return said === "none" ? undefined : Number(said) * 1_000;
  }

  async keepAlive(path: string): Promise<AsyncDisposable> {
    const { aftermath } = this.#world;
    const running = await this.#place.start(
      { program: "sh", args: ["-c", ALIVE, "sh", path] },
      aftermath,
    );
    running.stdout.resume();
    return {
      [Symbol.asyncDispose]: async () => {
        running.end();
        await running.ended;
      },
    };
  }

  async isAlive(): Promise<undefined> {
    return undefined;
  }

  async identity(): Promise<string> {
    return `pod ${randomUUID()}`;
  }

  async flush(path: string): Promise<void> {
    await this.#run(FLUSH, [path]);
  }

  async giveTraits(folder: string, from: string): Promise<void> {
    await this.#run(TRAITS, [folder, from]);
  }

  source(path: string, only: readonly string[] | undefined) {
    return directorySource({ path, only, place: this.#place });
  }

  async fill(
    backup: StoredBackup,
    fingerprint: DirectoryFingerprint,
    to: Parameters<Files["fill"]>[2],
  ) {
    return await restoreThere(backup, fingerprint, { ...to, place: this.#place }, this.#world);
  }

  /** Runs a script there; gives what it says. */
  async #run(
    script: string,
    values: readonly string[],
    input?: string,
    signal = this.#world.signal.aborted ? this.#world.aftermath : this.#world.signal,
  ): Promise<string> {
    const command = { program: "sh", args: ["-c", script, "sh", ...values] };
    const running = await this.#place.start({ ...command, input: input !== undefined }, signal);
    // What it says of a failure counts, not that it did not read to the end.
    running.stdin.on("error", () => {});
    if (input !== undefined) running.stdin.end(input);
    const said = await text(running.stdout).catch((error: unknown) => describe(error));
    const { exitCode, message, stderr } = await running.ended;
    signal.throwIfAborted();
    if (exitCode === 0) return said;
    const [line = ""] = stderr.trim().split("\n");
    throw new UserError({
      title: "The folder could not be restored",
      cause: `${values[0] ?? "Renaming"} in ${this.#place.name}: ${(line || message).replace(/\.$/, "")}.`,
      remedy: /read-only|denied|not permitted/i.test(stderr)
        ? "Let the account of the container write the folder and the one that it is in (or give method: in-place, which needs the folder only). What was there before is there."
        : "See what the container says, and run again. What was there before is there.",
      ...(stderr.trim() === "" ? {} : { evidence: stderr.trim() }),
    });
  }
}

function oddName(path: string): UserError {
  return new UserError({
    title: "A name cannot be passed on to the pod",
    cause: `${JSON.stringify(path)} has a line break in it.`,
    remedy: "Restore on a machine that mounts the volume. What was there before is there.",
  });
}
