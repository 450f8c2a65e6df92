/** What act tells of a run, as far as anybody here wants to know it. */
export type ActEvent =
  | { readonly kind: "step-started"; readonly job: string; readonly step: string }
  | {
      readonly kind: "step-ended";
      readonly job: string;
      readonly step: string;
      readonly result: string;
      readonly milliseconds: number;
    }
  | { readonly kind: "line"; readonly job: string; readonly step: string; readonly text: string }
  | Annotation
  | {
      readonly kind: "output";
      readonly job: string;
      readonly step: string;
      readonly name: string;
      readonly value: string;
    }
  | {
      readonly kind: "summary";
      readonly job: string;
      readonly step: string;
      readonly markdown: string;
    }
  | { readonly kind: "job-ended"; readonly job: string; readonly result: string }
  /** Words of act's own. */
  | { readonly kind: "note"; readonly text: string };

/** What GitHub would show on the run's page. */
export interface Annotation {
  readonly kind: "annotation";
  readonly job: string;
  readonly step: string;
  readonly level: "error" | "warning" | "notice";
  readonly title: string;
  readonly message: string;
}

/** A line of `act --json`, with the fields that matter here. */
interface Line {
  readonly jobID?: string;
  readonly stepID?: readonly string[];
  readonly stage?: string;
  readonly msg?: string;
  readonly raw_output?: boolean;
  readonly command?: string;
  readonly arg?: string;
  readonly name?: string;
  readonly content?: string;
  readonly kvPairs?: Readonly<Record<string, string>>;
  readonly stepResult?: string;
  readonly jobResult?: string;
  readonly executionTime?: number;
}

const NANOSECONDS_PER_MILLISECOND = 1e6;
const LEVELS = ["error", "warning", "notice"] as const;

/** Reads a line of `act --json`; undefined for one that says nothing of interest. */
export function readEvent(text: string): ActEvent | undefined {
  const line = parse(text);
  if (line === undefined) return text.trim() === "" ? undefined : { kind: "note", text };
  const { jobID: job } = line;
  if (job === undefined) return { kind: "note", text: line.msg ?? "" };
  if (line.jobResult !== undefined) return { kind: "job-ended", job, result: line.jobResult };
  if (line.stage !== "Main" || line.stepID === undefined) return undefined;
  return readStepEvent(line, job, line.stepID.join("/"));
}

function readStepEvent(line: Line, job: string, step: string): ActEvent | undefined {
  if (line.raw_output === true) {
    return { kind: "line", job, step, text: plain(line.msg ?? "").replace(/\r?\n$/, "") };
  }
  if (line.command !== undefined) return readCommand(line, line.command, job, step);
  if (line.stepResult !== undefined) {
    const milliseconds = (line.executionTime ?? 0) / NANOSECONDS_PER_MILLISECOND;
    return { kind: "step-ended", job, step, result: line.stepResult, milliseconds };
  }
  if (line.msg?.includes("⭐ Run")) return { kind: "step-started", job, step };
  return undefined;
}

function readCommand(line: Line, command: string, job: string, step: string): ActEvent | undefined {
  const argument = line.arg ?? "";
  const level = LEVELS.find((name) => name === command);
  if (level !== undefined) {
    const title = line.kvPairs?.title ?? "";
    return { kind: "annotation", job, step, level, title, message: argument };
  }
  if (command === "set-output") {
    return { kind: "output", job, step, name: line.name ?? "", value: argument };
  }
  if (command === "summary") return { kind: "summary", job, step, markdown: line.content ?? "" };
  return undefined;
}

function parse(text: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Steps have a terminal under act, so that programs colour what they print. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what an escape sequence is.
  return text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, "");
}
