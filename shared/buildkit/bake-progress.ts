import type { BuildEvent, FailedStep } from "./build-event.ts";
import { parseStatus, type SolveStatus, type Vertex, type VertexStatus } from "./solve-status.ts";
import { StepOutput } from "./step-output.ts";
import { failedStep, TargetProgress } from "./target-progress.ts";

const PREFIX = /^\[([^\s\]]+)(?: |(\] ?))/;
const WAITING = "[internal] waiting for connection";
const MOST_TEXT = 400;
const LONGEST_LINE = 4_096;

/**
 * Follows `buildx bake --progress=rawjson`: one SolveStatus a line, among lines of plain text in
 * which buildx reports its error. Where several targets are baked, the name of every vertex begins
 * with its target's; where it is one, none does.
 */
export class BakeProgress {
  readonly #targets: ReadonlyMap<string, TargetProgress>;
  readonly #only: TargetProgress | undefined;
  readonly #now: () => number;
  readonly #outputs = new Map<string, StepOutput>();
  readonly #statuses = new Map<string, string>();
  readonly #common = new Map<string, Vertex>();
  readonly #text: string[] = [];
  #newsAt: number;

  constructor(
    keys: readonly string[],
    now: () => number,
    tell: (key: string, event: BuildEvent) => void = () => {},
  ) {
    this.#targets = new Map(
      keys.map((key) => [key, new TargetProgress((event) => tell(key, event))]),
    );
    this.#only = keys.length === 1 ? this.#targets.values().next().value : undefined;
    this.#now = now;
    this.#newsAt = now();
  }

  /** Takes in one line. */
  read(line: string): void {
    const status = parseStatus(line);
    if (status === undefined) {
      this.#text.push(line.slice(0, LONGEST_LINE));
      if (this.#text.length > MOST_TEXT) this.#text.shift();
    } else {
      this.#take(status);
    }
  }

  /** The plain lines. */
  get text(): readonly string[] {
    return this.#text;
  }

  /** When something last changed, in epoch milliseconds. */
  get newsAt(): number {
    return this.#newsAt;
  }

  /** How far a target is. */
  of(key: string): TargetProgress | undefined {
    return this.#targets.get(key);
  }

  /** Whether buildx waits for its BuildKit to answer; it does so too before it says anything. */
  get waitsForBuilder(): boolean {
    const waiting = [...this.#common.values()].filter(({ name }) => name === WAITING);
    const begun = [...this.#targets.values()].some(({ began }) => began !== undefined);
    return waiting.length === 0 ? !begun : waiting.some(({ completed }) => !completed);
  }

  /** Whether all that is being done is to push. */
  get onlyPushes(): boolean {
    const busy = [...this.#targets.values()].filter(({ running }) => running.length > 0);
    return busy.length > 0 && busy.every(({ onlyPushes }) => onlyPushes);
  }

  /** The step of a target that failed by itself, and not because another had. */
  failed(key: string, error = ""): FailedStep | undefined {
    const vertex = this.#targets.get(key)?.failure(error);
    return vertex && failedStep(vertex, this.#outputs.get(vertex.digest));
  }

  /** The others that failed at the very same step as this target. */
  sharing(key: string, error: string): readonly string[] {
    const digest = this.#targets.get(key)?.failure(error)?.digest;
    if (digest === undefined) return [];
    return [...this.#targets]
      .filter(([other, each]) => other !== key && each.failure(error)?.digest === digest)
      .map(([other]) => other);
  }

  #take({ vertexes = [], statuses = [], logs = [], warnings = [] }: SolveStatus): void {
    // The name of a vertex tells whose it is; whatever else is about it names it by its digest.
    const found = vertexes.map((vertex) => this.#ownerOf(vertex));
    for (const [owner, vertex] of found) owner?.meet(vertex);
    for (const { vertex, stream = 1, data = "" } of logs) this.#log(vertex, stream, data);
    for (const [owner, vertex] of found) this.#vertex(owner, vertex);
    for (const status of statuses) this.#status(status);
    for (const { vertex = "", short = "", range } of warnings) {
      const text = Buffer.from(short, "base64").toString();
      for (const target of this.#holders(vertex)) target.warn(text, range?.[0]?.start?.line);
    }
  }

  #ownerOf(vertex: Vertex): readonly [TargetProgress | undefined, Vertex] {
    if (this.#only !== undefined) {
      return [isCommon(vertex.name) ? undefined : this.#only, vertex];
    }
    const found = PREFIX.exec(vertex.name);
    const owner = this.#targets.get(found?.[1] ?? "");
    if (found === null || owner === undefined) return [undefined, vertex];
    const rest = vertex.name.slice(found[0].length);
    return [owner, { ...vertex, name: found[2] === undefined ? `[${rest}` : rest }];
  }

  #vertex(owner: TargetProgress | undefined, vertex: Vertex): void {
    const now = this.#now();
    if (owner === undefined) {
      this.#common.set(vertex.digest, vertex);
      this.#newsAt = now;
      return;
    }
    owner.began ??= now;
    if (owner.take(vertex, this.#outputs.get(vertex.digest))) {
      owner.ended = now;
      this.#newsAt = now;
    }
  }

  #log(digest: string, stream: number, data: string): void {
    const output = this.#outputs.get(digest) ?? new StepOutput();
    this.#outputs.set(digest, output);
    // What several targets have in common is done, and told, once.
    const [first] = this.#holders(digest);
    output.append(stream, Buffer.from(data, "base64"), (text) => first?.say(digest, text));
    this.#newsAt = this.#now();
  }

  #status(status: VertexStatus): void {
    const key = `${status.vertex} ${status.id}`;
    const state = `${status.current} ${status.completed}`;
    if (this.#statuses.get(key) === state) return;
    this.#statuses.set(key, state);
    this.#newsAt = this.#now();
    for (const target of this.#holders(status.vertex)) target.takeStatus(status);
  }

  #holders(digest: string): TargetProgress[] {
    if (this.#only !== undefined) return [this.#only];
    return [...this.#targets.values()].filter((target) => target.holds(digest));
  }
}

/** What buildx does for all targets together. */
function isCommon(name: string): boolean {
  return name === WAITING || name.startsWith("[internal] load local bake definition");
}
