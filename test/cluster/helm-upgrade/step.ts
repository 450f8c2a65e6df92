import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import type { Sandbox } from "../kubernetes/sandbox.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../../..");

export const chart = "test/cluster/helm-upgrade/chart";

/** What a run of the action left behind. */
export interface Ended {
  readonly code: number | null;
  readonly log: string;
  readonly summary: string;
  readonly outputs: Readonly<Record<string, string>>;
  /** Names of files that are left in the folder for temporary files. */
  readonly leftovers: readonly string[];
  readonly milliseconds: number;
}

/** A run of the action as a process of its own, as the runner would start it. */
export class Step {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(inputs: Readonly<Record<string, string>>, environment: NodeJS.ProcessEnv) {
    const folder = mkdtempSync(join(tmpdir(), "helm-upgrade-step-"));
    const [output, summary] = [join(folder, "output"), join(folder, "summary")];
    for (const file of [output, summary]) writeFileSync(file, "");
    const given = Object.entries(inputs).map(([name, value]) => [
      `INPUT_${name.toUpperCase()}`,
      value,
    ]);
    const temporary = mkdtempSync(join(folder, "temporary-"));
    const began = performance.now();
    this.#child = spawn("node", ["actions/helm-upgrade/main.ts"], {
      cwd: root,
      env: {
        ...environment,
        ...Object.fromEntries(given),
        GITHUB_OUTPUT: output,
        GITHUB_STEP_SUMMARY: summary,
        RUNNER_TEMP: temporary,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) throw new Error("the step has no output");
      createInterface({ input: stream }).on("line", (line) => {
        this.#lines.push(line);
        for (const look of this.#waiting) look();
      });
    }
    this.ended = once(this.#child, "close").then(([code]) => {
      const ended: Ended = {
        code,
        log: this.#lines.join("\n"),
        summary: readFileSync(summary, "utf8"),
        outputs: readOutputs(readFileSync(output, "utf8")),
        leftovers: readdirSync(temporary),
        milliseconds: performance.now() - began,
      };
      rmSync(folder, { recursive: true });
      return ended;
    });
  }

  /** Resolves when a line of the log matches. */
  async says(pattern: RegExp): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (this.#lines.some((line) => pattern.test(line))) resolve();
      };
      this.#waiting.add(look);
      look();
      this.ended.then(({ log }) => reject(new Error(`never said ${pattern}:\n${log}`)), reject);
    });
  }

  interrupt(): void {
    this.#child.kill("SIGINT");
  }

  /** As when the machine dies: the action and the Helm that it started. */
  async die(): Promise<void> {
    const { pid } = this.#child;
    const children = await run("ps", ["-o", "pid=", "--ppid", String(pid)]).then(
      ({ stdout }) => stdout.split("\n").flatMap((line) => (line.trim() ? [Number(line)] : [])),
      () => [],
    );
    this.#child.kill("SIGKILL");
    for (const child of children) process.kill(child, "SIGKILL");
    await this.ended;
  }
}

function readOutputs(text: string): Record<string, string> {
  const outputs = text.matchAll(/^([\w-]+)<<(\S+)\n([\s\S]*?)\n\2$/gm);
  return Object.fromEntries([...outputs].map(([, name, , value]) => [name, value]));
}

/** The digest that the registry reports for an image `host/path:tag`. */
export async function digestOf(image: string): Promise<string> {
  const [, host, path, tag] = /^([^/]+)\/(.+):([^:/]+)$/.exec(image) ?? [];
  const answer = await fetch(`http://${host}/v2/${path}/manifests/${tag}`, {
    method: "HEAD",
    headers: {
      accept: [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
      ].join(", "),
    },
  });
  return answer.headers.get("docker-content-digest") ?? "";
}

/** Runs Helm itself in the sandbox. */
export async function helm(box: Sandbox, ...args: readonly string[]): Promise<string> {
  const flags = ["--kubeconfig", box.endpoints.kubeconfig, "--namespace", box.namespace];
  return (await run(join(box.endpoints.bin, "helm"), [...flags, ...args])).stdout;
}
