/** One step of a long piece of work: how long it takes as a rule, and how much of it is done. */
export interface Step {
  readonly name: string;
  readonly seconds: number;
  /** From 0 to 1. */
  readonly done: number;
}

/** Where the work's news go: lines to keep, and the latest state of what is under way. */
export interface Reporter {
  readonly line: (text: string) => void;
  readonly progress: (text: string) => void;
}

/** How strongly the usual times count against those seen so far, in seconds of usual work. */
const trust = 20;

/** Seconds left, from the usual times and from how this machine has kept to them so far. */
export function remaining(steps: readonly Step[], elapsed: number): number {
  const total = steps.reduce((sum, step) => sum + step.seconds, 0);
  const done = steps.reduce((sum, step) => sum + step.seconds * Math.min(step.done, 1), 0);
  return ((elapsed + trust) / (done + trust)) * (total - done);
}

/** Says a number of seconds as people do: "45s", "2m10s". */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60
    ? `${whole}s`
    : `${Math.floor(whole / 60)}m${String(whole % 60).padStart(2, "0")}s`;
}

/** News as plain lines: what is under way is repeated at most every 15 seconds. */
export function plainReporter(write: (line: string) => void, clock = Date.now): Reporter {
  let last = Number.NEGATIVE_INFINITY;
  return {
    line: write,
    progress: (text) => {
      if (clock() - last < 15_000) return;
      last = clock();
      write(text);
    },
  };
}

/** News on a terminal: what is under way is one line that changes in place. */
export function terminalReporter(stream: NodeJS.WriteStream): Reporter {
  const clear = "\r\u001b[K";
  return {
    line: (text) => stream.write(`${clear}${text}\n`),
    progress: (text) => stream.write(`${clear}${text.slice(0, (stream.columns || 80) - 1)}`),
  };
}
