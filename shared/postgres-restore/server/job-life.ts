import type { Place } from "../../place/index.ts";
import { bytesInWords } from "../../quantity/index.ts";
import type { World } from "../../world/index.ts";
import { eachLine } from "../restoring/lines.ts";
import { LimitReached } from "../target.ts";

/** Where signs of life are given, and what is looked after at that. */
export interface Life {
  /** The folder of the file that shows it. */
  readonly beside: string;
  /** The folder whose disk is not to run full. */
  readonly data: string;
  /** What has to stay free there, in bytes. */
  readonly least: number;
}

const BEAT_MS = 3_000;
/** For every line that comes, one sign of life, and the kibibytes that are free. */
const BEAT = `while read -r _; do
  : > "$1/alive"
  df -Pk "$2" | { read -r _; read -r _ _ _ free _; echo "$free"; }
done`;

/**
 * Shows a pod that somebody is there, for as long as this process is and until it is disposed of;
 * the pod ends without it. Its signal aborts when the disk is full.
 */
export async function showLife(
  place: Place,
  { beside, data, least }: Life,
  world: World,
): Promise<{ readonly signal: AbortSignal } & Disposable> {
  const controller = new AbortController();
  const heart = await place.start(
    { program: "sh", args: ["-c", BEAT, "sh", beside, data], input: true },
    world.signal,
  );
  heart.stdin.on("error", () => {});
  const judge = (line: string) => {
    const free = Number(line) * 1024;
    world.log.debug(`${bytesInWords(free)} are free on the volume.`);
    if (line === "" || !(free < least)) return;
    const words = `The volume of the throw-away server is full: ${bytesInWords(free)} are left, and ${bytesInWords(least)} have to stay free.`;
    controller.abort(new LimitReached("disk", words));
  };
  eachLine(heart.stdout, judge).catch(() => {});
  const beat = () => heart.stdin.write("\n");
  beat();
  const timer = setInterval(beat, BEAT_MS);
  timer.unref();
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearInterval(timer);
      heart.end();
    },
  };
}
