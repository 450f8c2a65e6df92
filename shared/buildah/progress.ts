import type { BuildEvent, StepCounts } from "../buildkit/index.ts";

const STEP = /^((?:\[[^\]]*\] )*)STEP (\d+)\/(\d+): (.*)$/s;
/** A label of the command line, which buildah appends to the last stage as an instruction. */
const LABEL = /^LABEL "((?:[^"\\]|\\.)*)"="/;
/** What an instruction printed last, without the end of its line. */
const RUN_ON = /--> [0-9a-f]{11,}$/;
const CACHED = /^--> Using cache /;
const NOISE = [
  /^--> [0-9a-f]{11,}$/,
  /^[0-9a-f]{64}$/,
  /^(?:\[[^\]]*\] )?COMMIT\b/,
  /^subprocess exited with status \d+$/,
  /^(?:Trying to pull |Getting image source signatures|Copying (?:blob|config) |Writing manifest |Storing signatures)/,
  /one or more build args were not consumed: \[(?:TARGET\w+ ?)+\]/,
];
const TAIL_LINES = 40;

interface Step {
  readonly name: string;
  readonly began: number;
  cached: boolean;
}

/**
 * Follows what `buildah build` prints, which does one step after another. A step is done when the
 * next one begins, for buildah says nothing at its end.
 */
export class BuildahProgress {
  readonly #now: () => number;
  readonly #tell: (event: BuildEvent) => void;
  readonly #labels: ReadonlySet<string>;
  #running: Step | undefined;
  readonly #totals = new Map<string, number>();
  readonly #lines: string[] = [];
  readonly #warned = new Set<string>();
  #last: Step | undefined;
  #done = 0;
  #cached = 0;
  #error = "";

  /** @param labels the names of those of the command line, which are no steps of the Dockerfile. */
  constructor(now: () => number, tell: (event: BuildEvent) => void, labels: Iterable<string> = []) {
    this.#now = now;
    this.#tell = tell;
    this.#labels = new Set(labels);
  }

  read(line: string): void {
    const [, stage = "", number = "1", total = "1", name = ""] = STEP.exec(line) ?? [];
    if (name !== "") this.#begin(stage, Number(number), Number(total), name);
    else if (CACHED.test(line)) {
      if (this.#last !== undefined) this.#last.cached = true;
    } else if (line.startsWith("Error: ")) this.#error = line.slice("Error: ".length);
    else if (line.startsWith("WARNING: ")) this.#warn(line.slice("WARNING: ".length));
    else if (/^time="[^"]*" level=/.test(line)) this.#log(line);
    else if (line.trim() !== "" && !NOISE.some((form) => form.test(line))) {
      this.#print(line.replace(RUN_ON, ""));
    }
  }

  /** The build has ended well: what was under way is done. */
  end(): void {
    this.#finish();
  }

  /** The steps of the Dockerfile that are known so far. */
  get steps(): StepCounts {
    const total = [...this.#totals.values()].reduce((sum, steps) => sum + steps, 0);
    return { done: this.#done, cached: this.#cached, total };
  }

  /** The error in buildah's words; empty when it said none. */
  get error(): string {
    return this.#error;
  }

  /** The step that was begun last. */
  get step(): string | undefined {
    return this.#last?.name;
  }

  /** The last lines that instructions printed. */
  get output(): readonly string[] {
    return this.#lines;
  }

  #begin(stage: string, number: number, total: number, name: string): void {
    this.#finish();
    // FROM is a step to buildah alone.
    this.#totals.set(stage, total - 1 - (isLast(stage) ? this.#labels.size : 0));
    if (this.#labels.has(LABEL.exec(name)?.[1] ?? "")) return;
    this.#last = { name: name.replace(/\s+/g, " ").trim(), began: this.#now(), cached: false };
    if (number > 1) this.#running = this.#last;
  }

  #finish(): void {
    const step = this.#running;
    if (step === undefined) return;
    this.#running = undefined;
    this.#done += 1;
    if (step.cached) this.#cached += 1;
    const { done, total } = this.steps;
    const milliseconds = this.#now() - step.began;
    const { name, cached } = step;
    this.#tell({ kind: "step", name, done, total, milliseconds, cached });
  }

  #print(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > TAIL_LINES) this.#lines.shift();
    this.#tell({ kind: "output", text: line });
  }

  /** It builds on a base image of another platform, and says so in words of Go. */
  #warn(text: string): void {
    const words = text.replaceAll(/\(\{(\w+) (\w+)[^}]*\}\)/g, "$2/$1");
    // By the name that BuildKit has for it.
    const plain = /^image platform /.test(words) ? `InvalidBaseImagePlatform: ${words}` : words;
    if (this.#warned.has(plain)) return;
    this.#warned.add(plain);
    this.#tell({ kind: "warning", text: plain, line: undefined });
  }

  #log(line: string): void {
    const text = /msg="((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
    if (text === undefined || !/level=(?:warning|error)/.test(line)) return;
    this.#lines.push(text);
    if (this.#lines.length > TAIL_LINES) this.#lines.shift();
  }
}

/** Whether a stage is the last: `[2/2] `, or the only one, which has no number. */
function isLast(stage: string): boolean {
  const [, number, of] = /\[(\d+)\/(\d+)\]/.exec(stage) ?? [];
  return number === of;
}
