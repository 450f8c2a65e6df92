import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openBed } from "../../testbed/bed.ts";
import { readConfiguration } from "../../testbed/configuration.ts";
import { buildkit as buildkitModule } from "../../testbed/modules.ts";
import { connects } from "../../testbed/processes.ts";
import { withoutSync } from "../../testbed/without-sync.ts";

/** A BuildKit that a test may kill: the bed's programs, with state of its own. */
export class OwnBuildKit implements AsyncDisposable {
  readonly #folder: string;
  readonly #program: string;
  readonly #path: string;
  #process: ChildProcess | undefined;

  private constructor(folder: string, program: string, path: string) {
    this.#folder = folder;
    this.#program = program;
    this.#path = path;
  }

  /** Starts one. With a size (`32m`), its disk is no larger. */
  static async start(disk?: string): Promise<OwnBuildKit> {
    const bed = await openBed(readConfiguration(process.env));
    const folder = await mkdtemp(join(tmpdir(), "buildkit-"));
    await mkdir(join(folder, "root"));
    const settings = `
root = "${join(folder, "root")}"
[grpc]
  address = ["unix://${join(folder, "socket")}"]
[worker.oci]
  enabled = true
  networkMode = "host"
  snapshotter = "overlayfs"
  gc = false
[worker.containerd]
  enabled = false
`;
    await writeFile(join(folder, "settings.toml"), settings);
    const path = [bed.debian("runc", "usr/sbin"), process.env.PATH, "/usr/sbin:/sbin"].join(":");
    const own = new OwnBuildKit(folder, bed.built(buildkitModule, "buildkitd"), path);
    await own.run(disk);
    return own;
  }

  /** As `buildx create --driver remote` takes it. */
  get address(): string {
    return `unix://${join(this.#folder, "socket")}`;
  }

  /** Starts it, again after it was killed, and waits until it answers. */
  async run(disk?: string): Promise<void> {
    const { toml, root } = {
      toml: join(this.#folder, "settings.toml"),
      root: join(this.#folder, "root"),
    };
    const mount = disk === undefined ? "" : `mount -t tmpfs -o size=${disk} tmpfs "$2" && `;
    const script = `${mount}exec "$0" --config "$1"`;
    // What it mounts goes with its namespace, however it ends.
    const mounted = ["unshare", "--mount", "sh", "-c", script, this.#program, toml, root];
    const [program = "", ...args] = [...withoutSync(), ...mounted];
    const child = spawn(program, args, {
      detached: true,
      stdio: "ignore",
      env: { ...process.env, PATH: this.#path },
    });
    this.#process = child;
    while (!(await connects(join(this.#folder, "socket")))) {
      if (child.exitCode !== null) throw new Error(`buildkitd ended with ${child.exitCode}`);
      await delay(50);
    }
  }

  /** Kills it, with all that it runs. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    process.kill(-child.pid, "SIGKILL");
    await ended;
    await rm(join(this.#folder, "socket"), { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
