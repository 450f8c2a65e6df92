import { spawn } from "node:child_process";

/** What must not outlive this process. */
export interface Leashed {
  /** A process group, by its leader's id. */
  readonly group?: number | undefined;
  /** A folder, with all that is in it. */
  readonly folder?: string | undefined;
}

/**
 * Waits until its input ends, which the system sees to when this process is gone, however it went.
 * Then it asks the group to end, makes it after three seconds, and removes the folder.
 */
const WATCH = `read -r _
if [ -n "$1" ]; then
  kill -s TERM -- "-$1" 2> /dev/null
  tries=0
  while [ "$tries" -lt 30 ] && kill -s 0 -- "-$1" 2> /dev/null; do sleep 0.1; tries=$((tries + 1)); done
  kill -s KILL -- "-$1" 2> /dev/null
fi
[ -n "$2" ] && rm -rf -- "$2"
exit 0`;

/**
 * Has something end together with this process, also when that is killed and can do nothing about
 * it. Until it is disposed of, a small program watches over it.
 */
export function leash({ group, folder }: Leashed): Disposable {
  if (process.platform === "win32") return { [Symbol.dispose]() {} };
  const watcher = spawn("/bin/sh", ["-c", WATCH, "leash", String(group ?? ""), folder ?? ""], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  // Without a shell nothing is watched over; the work itself does not depend on it.
  watcher.on("error", () => {});
  watcher.stdin.on("error", () => {});
  watcher.unref();
  // The pipe alone must not keep this process alive.
  (watcher.stdin as unknown as { unref?: () => void }).unref?.();
  return {
    [Symbol.dispose]() {
      watcher.kill("SIGKILL");
    },
  };
}
