import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  bundleOf,
  Runner,
  runStep,
  type Setting,
  type Step,
  startStep,
} from "../../runner/index.ts";
import { Mirror, sha256 } from "./mirror.ts";

export const main = bundleOf("setup-tools");

/** A program that only says its version, long enough to arrive in several parts. */
export function program(words: string): Buffer {
  return Buffer.from(`#!/bin/sh\necho "${words}"\nexit 0\n${"#".repeat(300_000)}\n`);
}

/** A runner with a tool cache, and a mirror that it is told of. */
export class Bench implements AsyncDisposable {
  readonly runner: Runner;
  readonly mirror: Mirror;
  readonly cache: string;

  private constructor(runner: Runner, mirror: Mirror) {
    this.runner = runner;
    this.mirror = mirror;
    this.cache = join(runner.folder, "cache");
  }

  static async open(files: Readonly<Record<string, Buffer>>): Promise<Bench> {
    const bench = new Bench(await Runner.create(), await Mirror.serve(files));
    await mkdir(bench.cache);
    return bench;
  }

  /** How the action is called here; inputs and environment of a test's own come last. */
  setting({ inputs = {}, environment = {}, ...rest }: Setting): Setting {
    return {
      ...rest,
      runner: this.runner,
      inputs: { mirror: this.mirror.url, ...inputs },
      environment: { PATH: "/usr/bin:/bin", RUNNER_TOOL_CACHE: this.cache, ...environment },
    };
  }

  run(setting: Setting): Promise<Step> {
    return runStep(main, this.setting(setting));
  }

  start(setting: Setting) {
    return startStep(main, this.setting(setting));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.mirror[Symbol.asyncDispose]();
    await this.runner[Symbol.asyncDispose]();
  }
}

/** An own table with one more version of one tool of the built-in table. */
export function tableOf(tool: string, version: string, file: Buffer): string {
  const platform = process.arch === "x64" ? "linux-amd64" : "linux-arm64";
  return JSON.stringify({ [tool]: { versions: { [version]: { [platform]: sha256(file) } } } });
}

export const processor = process.arch === "x64" ? "amd64" : "arm64";

/** What the output `tools` says of one. */
export function toolOf(step: Step, name: string): Record<string, string> {
  return JSON.parse(step.outputs.tools ?? "{}")[name] ?? {};
}
