import { describe, expect, it } from "@jest/globals";
import { type BuildEvent, BuildProgress } from "../../../shared/buildkit/index.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");
const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, "0")}.000000000Z`;

/** What a build tells while these lines come. */
function follow(...lines: object[]) {
  const events: BuildEvent[] = [];
  const progress = new BuildProgress((event) => events.push(event));
  for (const line of lines) progress.read(typeof line === "string" ? line : JSON.stringify(line));
  return { events, progress };
}

const internal = { digest: "i", name: "[internal] load build definition from Dockerfile" };
const copy = { digest: "a", name: "[base 1/2] COPY . /app" };
const run = { digest: "b", name: "[stage-1 2/2] RUN  npm\nci" };

describe("the progress of a build", () => {
  it("counts the Dockerfile's steps, and tells each once", () => {
    const done = { ...copy, started: at(0), completed: at(1), cached: true };
    const { events, progress } = follow(
      { vertexes: [internal, copy, run] },
      { vertexes: [{ ...internal, started: at(0), completed: at(1) }] },
      { vertexes: [done] },
      { vertexes: [done] },
      { vertexes: [{ ...run, started: at(1), completed: at(4) }] },
    );
    expect(events).toEqual([
      { kind: "step", name: "COPY . /app", done: 1, total: 2, milliseconds: 1_000, cached: true },
      { kind: "step", name: "RUN npm ci", done: 2, total: 2, milliseconds: 3_000, cached: false },
    ]);
    expect(progress.steps).toEqual({ done: 2, cached: 1, total: 2 });
  });

  it("numbers steps one after the other that are done at once", () => {
    const both = [copy, run].map((step) => ({ ...step, started: at(0), completed: at(0) }));
    const { events } = follow({ vertexes: both });
    expect(events.map((event) => event.kind === "step" && event.done)).toEqual([1, 2]);
  });

  it("puts lines together from pieces that end anywhere, also within a character", () => {
    const bytes = Buffer.from("grün\r\nrest");
    const logs = [bytes.subarray(0, 3), bytes.subarray(3)].map((piece) => {
      return { logs: [{ vertex: "b", data: piece.toString("base64") }] };
    });
    const { events } = follow({ vertexes: [run] }, ...logs, {
      vertexes: [{ ...run, started: at(0), completed: at(1) }],
    });
    expect(events.slice(0, 2)).toEqual([
      { kind: "output", text: "grün" },
      { kind: "output", text: "rest" },
    ]);
  });

  it("names the step that failed, with what it printed, and not those stopped with it", () => {
    const { progress } = follow(
      { vertexes: [{ ...copy, started: at(0), completed: at(1), error: "context canceled" }] },
      { logs: [{ vertex: "b", data: base64("out of luck\n") }] },
      { vertexes: [{ ...run, started: at(0), completed: at(1), error: "exit code: 3" }] },
    );
    expect(progress.failed).toEqual({
      name: "RUN npm ci",
      error: "exit code: 3",
      output: ["out of luck"],
      lastWords: "out of luck",
    });
    expect(progress.steps.done).toBe(0);
    expect(progress.stopped).toBe("COPY . /app");
  });

  it("keeps the two streams apart, and takes the last words from standard error", () => {
    const { events, progress } = follow(
      { logs: [{ vertex: "b", stream: 2, data: base64("no such ") }] },
      { logs: [{ vertex: "b", stream: 1, data: base64("resolving\n") }] },
      { logs: [{ vertex: "b", stream: 2, data: base64("package\n\n") }] },
      { logs: [{ vertex: "b", stream: 1, data: base64("bye\n") }] },
      { vertexes: [{ ...run, started: at(0), completed: at(1), error: "exit code: 1" }] },
    );
    expect(events.map((event) => event.kind === "output" && event.text)).toEqual([
      "resolving",
      "no such package",
      "",
      "bye",
    ]);
    expect(progress.failed?.lastWords).toBe("no such package");
  });

  it("keeps the end of a long output only", () => {
    const data = base64(Array.from({ length: 100 }, (_, n) => `${n}\n`).join(""));
    const failed = { ...run, started: at(0), completed: at(1), error: "no" };
    const { progress } = follow({ logs: [{ vertex: "b", data }] }, { vertexes: [failed] });
    expect(progress.failed?.output).toHaveLength(40);
    expect(progress.failed?.output.at(-1)).toBe("99");
  });

  it("tells of tags that the registry took, and of nothing half taken", () => {
    const id = "pushing manifest for r.io/a:1@sha256:ab";
    const { events } = follow(
      { statuses: [{ id, started: at(0) }] },
      { statuses: [{ id, started: at(0), completed: at(1) }] },
      { statuses: [{ id, started: at(0), completed: at(1) }] },
    );
    expect(events).toEqual([{ kind: "pushed", reference: "r.io/a:1@sha256:ab" }]);
  });

  it("passes warnings on once, with their line", () => {
    const warnings = [{ short: base64("stage name is odd"), range: [{ start: { line: 3 } }] }];
    const { events } = follow({ warnings }, { warnings }, { warnings: [{ short: base64("x") }] });
    expect(events).toEqual([
      { kind: "warning", text: "stage name is odd", line: 3 },
      { kind: "warning", text: "x", line: undefined },
    ]);
  });

  it("knows when buildx waits for its BuildKit", () => {
    const waiting = { digest: "w", name: "[internal] waiting for connection", started: at(0) };
    expect(follow().progress.waitsForBuilder).toBe(true);
    expect(follow({ vertexes: [waiting] }).progress.waitsForBuilder).toBe(true);
    const over = follow({ vertexes: [waiting] }, { vertexes: [{ ...waiting, completed: at(1) }] });
    expect(over.progress.waitsForBuilder).toBe(false);
  });

  it("keeps every other line as text, also one that only looks like JSON", () => {
    const progress = new BuildProgress();
    for (const line of ["Dockerfile:1", "{not json", "ERROR: no"]) progress.read(line);
    expect(progress.text).toEqual(["Dockerfile:1", "{not json", "ERROR: no"]);
  });
});
