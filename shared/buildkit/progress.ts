import type { BuildEvent, FailedStep, StepCounts } from "./build-event.ts";
import { StepOutput } from "./step-output.ts";

interface Vertex {
  readonly digest: string;
  readonly name?: string;
  readonly started?: string;
  readonly completed?: string;
  readonly cached?: boolean;
  readonly error?: string;
}

interface StatusLine {
  readonly vertexes?: readonly Vertex[];
  readonly statuses?: readonly { readonly id: string; readonly completed?: string }[];
  readonly logs?: readonly {
    readonly vertex: string;
    /** 1 is standard output, 2 standard error. */
    readonly stream?: number;
    readonly data?: string;
  }[];
  readonly warnings?: readonly {
    readonly short?: string;
    readonly range?: readonly { readonly start?: { readonly line?: number } }[] | null;
  }[];
}

const TAIL_LINES = 40;
const WAITING = "[internal] waiting for connection";
const STEP = /^\[(?:.* )?\d+\/\d+\] (.*)$/s;
const PUSHED = /^pushing manifest for (\S+)$/;

/**
 * Follows `buildx build --progress=rawjson`: one JSON object a line, in BuildKit's words a
 * SolveStatus, among lines of plain text in which buildx reports errors.
 */
export class BuildProgress {
  readonly #tell: (event: BuildEvent) => void;
  readonly #vertices = new Map<string, Vertex>();
  readonly #told = new Set<string>();
  readonly #output = new Map<string, StepOutput>();
  readonly #text: string[] = [];
  #failed: string | undefined;
  #stopped: string | undefined;
  #stepsTold = 0;

  constructor(tell: (event: BuildEvent) => void = () => {}) {
    this.#tell = tell;
  }

  /** Takes in one line. */
  read(line: string): void {
    const status = parseStatus(line);
    if (status === undefined) {
      this.#text.push(line);
      if (this.#text.length > 10 * TAIL_LINES) this.#text.shift();
      return;
    }
    for (const vertex of status.vertexes ?? []) this.#vertices.set(vertex.digest, vertex);
    for (const { vertex, stream = 1, data = "" } of status.logs ?? []) {
      this.#log(vertex, stream, data);
    }
    for (const vertex of status.vertexes ?? []) this.#finish(vertex);
    for (const { id, completed } of status.statuses ?? []) {
      const reference = PUSHED.exec(id)?.[1];
      if (reference !== undefined && completed) this.#once(id, { kind: "pushed", reference });
    }
    for (const { short = "", range } of status.warnings ?? []) {
      const text = Buffer.from(short, "base64").toString();
      this.#once(`warning ${text}`, { kind: "warning", text, line: range?.[0]?.start?.line });
    }
  }

  /** The plain lines, in which buildx words its errors. */
  get text(): readonly string[] {
    return this.#text;
  }

  /** The steps of the Dockerfile that are known so far. */
  get steps(): StepCounts {
    const steps = [...this.#vertices.values()].filter(({ name }) => STEP.test(name ?? ""));
    const done = steps.filter(({ completed, error }) => completed && !error);
    return {
      done: done.length,
      cached: done.filter(({ cached }) => cached).length,
      total: steps.length,
    };
  }

  /** What is being done now, longest first; times are BuildKit's own, as epoch milliseconds. */
  get running(): readonly { readonly name: string; readonly since: number }[] {
    return [...this.#vertices.values()]
      .filter(({ started, completed }) => started && !completed)
      .map(({ name = "", started = "" }) => ({ name: plainName(name), since: Date.parse(started) }))
      .sort((a, b) => a.since - b.since);
  }

  /** Whether buildx waits for its BuildKit to answer; it does so too before it says anything. */
  get waitsForBuilder(): boolean {
    return this.#vertices.size === 0 || this.running.some(({ name }) => name === WAITING);
  }

  /** The step that was under way when the build was ended from outside. */
  get stopped(): string | undefined {
    return this.#stopped ?? this.running[0]?.name;
  }

  get failed(): FailedStep | undefined {
    const vertex = this.#failed === undefined ? undefined : this.#vertices.get(this.#failed);
    if (vertex === undefined) return undefined;
    const { lines = [], lastWords } = this.#output.get(vertex.digest) ?? {};
    const { name = "", error = "" } = vertex;
    return { name: plainName(name), error, output: lines, lastWords };
  }

  #finish(vertex: Vertex): void {
    const { digest, name = "", started, completed, error } = vertex;
    if (!completed) return;
    this.#output.get(digest)?.end((text) => this.#tell({ kind: "output", text }));
    if (error) {
      // What was stopped because another step failed is not the cause.
      if (/context canceled/i.test(error)) this.#stopped ??= plainName(name);
      else this.#failed ??= digest;
      return;
    }
    if (!STEP.test(name)) return;
    if (this.#told.has(digest)) return;
    this.#stepsTold += 1;
    const [done, { total }] = [this.#stepsTold, this.steps];
    const milliseconds = Date.parse(completed) - Date.parse(started ?? completed);
    const cached = vertex.cached === true;
    const step = { name: plainName(name), done, total, milliseconds, cached };
    this.#once(digest, { kind: "step", ...step });
  }

  #log(vertex: string, stream: number, data: string): void {
    const output = this.#output.get(vertex) ?? new StepOutput();
    this.#output.set(vertex, output);
    const bytes = Buffer.from(data, "base64");
    output.append(stream, bytes, (text) => this.#tell({ kind: "output", text }));
  }

  #once(key: string, event: BuildEvent): void {
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#tell(event);
  }
}

function plainName(name: string): string {
  return (STEP.exec(name)?.[1] ?? name).replace(/\s+/g, " ").trim();
}

function parseStatus(line: string): StatusLine | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as StatusLine;
  } catch {
    return undefined;
  }
}
