import { shorten } from "./build-error.ts";
import type { BuildEvent, FailedStep, StepCounts } from "./build-event.ts";
import type { Vertex, VertexStatus } from "./solve-status.ts";
import type { StepOutput } from "./step-output.ts";

const STEP = /^\[(?:[^\]]* )?\d+\/\d+\] (.*)$/s;
const PUSHING = /^pushing (?:layers|manifest for (\S+))$/;
const MANIFEST = /^exporting manifest(?: list)? (sha256:[0-9a-f]{64})$/;
const PULLING = /^(?:extracting )?sha256:/;
const CACHE = /^(?:\[[^\]]*\] )?(importing|exporting) cache /;
const FROM = /^\[[^\]]*\] FROM /;
// BuildKit's own tries: moby/buildkit, util/resolver/retryhandler.
const RETRYING = /^retrying in ([\d.]+)s$/;
const EXPORTING = /\bexporting to image$/;
const CANCELED = /context canceled/i;

/** How far one target of a bake is. */
export class TargetProgress {
  /** Epoch milliseconds of when it was first and last heard of; undefined before. */
  began: number | undefined;
  ended: number | undefined;
  readonly #tell: (event: BuildEvent) => void;
  readonly #vertices = new Map<string, Vertex>();
  // By name: BuildKit does what several builds have in common under the digest of one of them.
  readonly #steps = new Set<string>();
  readonly #done = new Set<string>();
  readonly #cached = new Set<string>();
  /** Names of what was really done, by digest. */
  readonly #worked = new Map<string, string>();
  /** Digests of what was found in a cache. */
  readonly #found = new Set<string>();
  readonly #fetched = new Map<string, number>();
  readonly #pushing = new Set<string>();
  readonly #pushed = new Set<string>();
  readonly #warned = new Set<string>();
  #manifest: string | undefined;
  #stopped: string | undefined;
  #pushError = "";
  #retryingIn: string | undefined;

  constructor(tell: (event: BuildEvent) => void) {
    this.#tell = tell;
  }

  /** Takes in that a vertex is its own, before anything that is said of it. */
  meet({ digest, name }: Vertex): void {
    if (!this.#vertices.has(digest)) this.#vertices.set(digest, { digest, name });
  }

  /** Takes in what became of a vertex; says whether that is news. */
  take(given: Vertex, output: StepOutput | undefined): boolean {
    const vertex = this.#withoutCacheTrouble(given);
    const { digest, name, started, completed, cached, error } = vertex;
    const before = this.#vertices.get(digest);
    this.#vertices.set(digest, vertex);
    if (STEP.test(name)) this.#steps.add(name);
    if (completed && STEP.test(name)) this.#count(digest, name, cached === true);
    if (completed && !before?.completed) {
      output?.end((text) => this.say(digest, text));
      if (error && CANCELED.test(error)) this.#stopped ??= plainName(name);
      if (!error) this.#finish(vertex);
    }
    return started !== before?.started || completed !== before?.completed;
  }

  /** Takes in how far a part of a vertex's work is. */
  takeStatus({ id, vertex, current = 0, completed }: VertexStatus): void {
    const key = `${vertex} ${id}`;
    if (PULLING.test(id)) this.#pull(vertex, id, current);
    this.#manifest = MANIFEST.exec(id)?.[1] ?? this.#manifest;
    const pushing = PUSHING.exec(id);
    if (pushing === null) return;
    if (!completed) {
      this.#pushing.add(key);
      return;
    }
    this.#pushing.delete(key);
    const [, name] = pushing;
    if (name === undefined || this.#pushed.has(key)) return;
    this.#pushed.add(key);
    const digest = name.includes("@") || this.#manifest === undefined ? "" : `@${this.#manifest}`;
    this.#tell({ kind: "pushed", reference: `${name}${digest}` });
  }

  /** Takes in a line that a vertex printed. */
  say(digest: string, text: string): void {
    if (!EXPORTING.test(this.#vertices.get(digest)?.name ?? "")) {
      this.#tell({ kind: "output", text });
      return;
    }
    // Every blob of a push is tried again by itself, with the same words.
    const [, seconds] = RETRYING.exec(text) ?? [];
    if (seconds === undefined) {
      this.#pushError = text.replace(/^error: /, "");
    } else if (seconds !== this.#retryingIn) {
      this.#retryingIn = seconds;
      const why = shorten(this.#pushError);
      this.#tell({ kind: "again", why, waitMilliseconds: Number(seconds) * 1_000 });
    }
  }

  warn(text: string, line: number | undefined): void {
    if (this.#warned.has(text)) return;
    this.#warned.add(text);
    this.#tell({ kind: "warning", text, line });
  }

  /** Whether this is a piece of its work. */
  holds(digest: string): boolean {
    return this.#vertices.has(digest);
  }

  /** The steps of the Dockerfile that are known so far. */
  get steps(): StepCounts {
    return { done: this.#done.size, cached: this.#cached.size, total: this.#steps.size };
  }

  /** Bytes of layers that were fetched from the cache of another builder. */
  get fetched(): number {
    return [...this.#fetched.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  /** The same for a build that succeeded: what was not done was cached, or done for another. */
  get stepsOfSuccess(): StepCounts {
    const total = this.#steps.size;
    return { done: total, cached: total - new Set(this.#worked.values()).size, total };
  }

  /**
   * The digest of what was pushed whole, with nothing left to do; undefined where several nodes
   * push a part each.
   */
  get pushed(): string | undefined {
    const over = [...this.#vertices.values()].every(
      ({ started, completed, error }) => !error && (completed || !started),
    );
    return over && this.#pushed.size === 1 && this.#pushing.size === 0 ? this.#manifest : undefined;
  }

  /** Whether all that it does now is to push. */
  get onlyPushes(): boolean {
    const running = [...this.#vertices.values()].filter((each) => each.started && !each.completed);
    return this.#pushing.size > 0 && running.every(({ name }) => EXPORTING.test(name));
  }

  /** What is being done now, longest first. */
  get running(): readonly string[] {
    return [...this.#vertices.values()]
      .filter(({ started, completed }) => started && !completed)
      .sort((a, b) => Date.parse(a.started ?? "") - Date.parse(b.started ?? ""))
      .map(({ name }) => plainName(name));
  }

  /** The step that was under way when it was ended from outside. */
  get stopped(): string | undefined {
    return this.#stopped ?? this.running[0];
  }

  /** The vertex that failed by itself; of several, the one that the error is about. */
  failure(error: string): Vertex | undefined {
    const failed = [...this.#vertices.values()].filter(
      (each) => each.error && !CANCELED.test(each.error),
    );
    return failed.find((each) => each.error && error.includes(each.error)) ?? failed[0];
  }

  /** A cache that cannot be read or written breaks nothing: the build is slower, this or the next. */
  #withoutCacheTrouble(vertex: Vertex): Vertex {
    const { error, ...rest } = vertex;
    const [, verb] = CACHE.exec(vertex.name) ?? [];
    if (error === undefined || verb === undefined || CANCELED.test(error)) return vertex;
    // The first build of all finds none.
    if (verb === "exporting" || !/not found|\b404\b/i.test(error)) {
      const what = verb === "exporting" ? "written" : "read";
      this.warn(`The cache could not be ${what}: ${shorten(error)}`, undefined);
    }
    return rest;
  }

  /** A base image that is pulled was no step saved; a cached step whose layer is fetched is one. */
  #pull(digest: string, id: string, bytes: number): void {
    const { name = "" } = this.#vertices.get(digest) ?? {};
    if (!STEP.test(name)) return;
    if (FROM.test(name)) this.#worked.set(digest, name);
    else this.#fetched.set(id, Math.max(bytes, this.#fetched.get(id) ?? 0));
  }

  /** Of a base image, the lookup is never cached; the image itself is unless it is pulled. */
  #count(digest: string, name: string, cached: boolean): void {
    if (cached) this.#cached.add(name);
    if (cached) this.#found.add(digest);
    if (FROM.test(name)) return;
    // One that is found in the cache of another builder is told as cached and as done, in any order.
    if (this.#found.has(digest)) this.#worked.delete(digest);
    else this.#worked.set(digest, name);
  }

  #finish({ name, started, completed = "", cached = false }: Vertex): void {
    if (!this.#steps.has(name) || this.#done.has(name)) return;
    this.#done.add(name);
    const milliseconds = Date.parse(completed) - Date.parse(started ?? completed);
    const [done, total] = [this.#done.size, this.#steps.size];
    this.#tell({ kind: "step", name: plainName(name), done, total, milliseconds, cached });
  }
}

/** A failed vertex with what it printed. */
export function failedStep(vertex: Vertex, output: StepOutput | undefined): FailedStep {
  const { lines = [], lastWords } = output ?? {};
  return { name: plainName(vertex.name), error: vertex.error ?? "", output: lines, lastWords };
}

function plainName(name: string): string {
  return (STEP.exec(name)?.[1] ?? name).replace(/\s+/g, " ").trim();
}
