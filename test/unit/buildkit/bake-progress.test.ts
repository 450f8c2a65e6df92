import { describe, expect, it } from "@jest/globals";
import { BakeProgress } from "../../../shared/buildkit/bake-progress.ts";
import type { BuildEvent } from "../../../shared/buildkit/index.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");
const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, "0")}.000000000Z`;

/** What a bake tells while these lines come. */
function follow(keys: readonly string[], ...lines: (object | string)[]) {
  const events: [string, BuildEvent][] = [];
  let now = 0;
  const progress = new BakeProgress(
    keys,
    () => now,
    (key, event) => events.push([key, event]),
  );
  for (const line of lines) {
    now += 1;
    progress.read(typeof line === "string" ? line : JSON.stringify(line));
  }
  return { events, progress };
}

const internal = { digest: "i", name: "[internal] load build definition from Dockerfile" };
const copy = { digest: "a", name: "[base 1/2] COPY . /app" };
const run = { digest: "b", name: "[stage-1 2/2] RUN  npm\nci" };

describe("the progress of one target", () => {
  it("counts the Dockerfile's steps, and tells each once", () => {
    const done = { ...copy, started: at(0), completed: at(1), cached: true };
    const { events, progress } = follow(
      ["s0"],
      { vertexes: [internal, copy, run] },
      { vertexes: [{ ...internal, started: at(0), completed: at(1) }] },
      { vertexes: [done] },
      { vertexes: [done] },
      { vertexes: [{ ...run, started: at(1), completed: at(4) }] },
    );
    expect(events.map(([, event]) => event)).toEqual([
      { kind: "step", name: "COPY . /app", done: 1, total: 2, milliseconds: 1_000, cached: true },
      { kind: "step", name: "RUN npm ci", done: 2, total: 2, milliseconds: 3_000, cached: false },
    ]);
    expect(progress.of("s0")?.steps).toEqual({ done: 2, cached: 1, total: 2 });
  });

  it("numbers steps one after the other that are done at once", () => {
    const both = [copy, run].map((step) => ({ ...step, started: at(0), completed: at(0) }));
    const { events } = follow(["s0"], { vertexes: both });
    expect(events.map(([, event]) => event.kind === "step" && event.done)).toEqual([1, 2]);
  });

  it("puts lines together from pieces that end anywhere, also within a character", () => {
    const bytes = Buffer.from("grün\r\nrest");
    const logs = [bytes.subarray(0, 3), bytes.subarray(3)].map((piece) => {
      return { logs: [{ vertex: "b", data: piece.toString("base64") }] };
    });
    const { events } = follow(["s0"], { vertexes: [run] }, ...logs, {
      vertexes: [{ ...run, started: at(0), completed: at(1) }],
    });
    expect(events.slice(0, 2).map(([, event]) => event)).toEqual([
      { kind: "output", text: "grün" },
      { kind: "output", text: "rest" },
    ]);
  });

  it("names the step that failed, with what it printed, and not those stopped with it", () => {
    const { progress } = follow(
      ["s0"],
      { vertexes: [{ ...copy, started: at(0), completed: at(1), error: "context canceled" }] },
      { logs: [{ vertex: "b", data: base64("out of luck\n") }] },
      { vertexes: [{ ...run, started: at(0), completed: at(1), error: "exit code: 3" }] },
    );
    expect(progress.failed("s0")).toEqual({
      name: "RUN npm ci",
      error: "exit code: 3",
      output: ["out of luck"],
      lastWords: "out of luck",
    });
    expect(progress.of("s0")?.steps.done).toBe(0);
    expect(progress.of("s0")?.stopped).toBe("COPY . /app");
  });

  it("prefers, of two failed steps, the one that the error is about", () => {
    const { progress } = follow(["s0"], {
      vertexes: [
        {
          digest: "c",
          name: "importing cache manifest",
          started: at(0),
          completed: at(0),
          error: "404",
        },
        { ...run, started: at(0), completed: at(1), error: "exit code: 3" },
      ],
    });
    expect(progress.failed("s0", "process did not complete: exit code: 3")?.name).toBe(
      "RUN npm ci",
    );
  });

  it("keeps the two streams apart, and takes the last words from standard error", () => {
    const { events, progress } = follow(
      ["s0"],
      { vertexes: [run] },
      { logs: [{ vertex: "b", stream: 2, data: base64("no such ") }] },
      { logs: [{ vertex: "b", stream: 1, data: base64("resolving\n") }] },
      { logs: [{ vertex: "b", stream: 2, data: base64("package\n\n") }] },
      { logs: [{ vertex: "b", stream: 1, data: base64("bye\n") }] },
      { vertexes: [{ ...run, started: at(0), completed: at(1), error: "exit code: 1" }] },
    );
    expect(events.map(([, event]) => event.kind === "output" && event.text)).toEqual([
      "resolving",
      "no such package",
      "",
      "bye",
    ]);
    expect(progress.failed("s0")?.lastWords).toBe("no such package");
  });

  it("keeps the end of a long output only", () => {
    const data = base64(Array.from({ length: 100 }, (_, n) => `${n}\n`).join(""));
    const failed = { ...run, started: at(0), completed: at(1), error: "no" };
    const { progress } = follow(["s0"], { logs: [{ vertex: "b", data }] }, { vertexes: [failed] });
    expect(progress.failed("s0")?.output).toHaveLength(40);
    expect(progress.failed("s0")?.output.at(-1)).toBe("99");
  });

  it("tells what the registry took, with its digest, and nothing half taken", () => {
    const [manifest, list] = ["a", "b"].map((letter) => `sha256:${letter.repeat(64)}`);
    const exporting = { digest: "x", name: "exporting to image", started: at(0) };
    const id = "pushing manifest for r.io/a";
    const { events, progress } = follow(
      ["s0"],
      { vertexes: [exporting] },
      { statuses: [{ vertex: "x", id: `exporting manifest ${manifest}` }] },
      { statuses: [{ vertex: "x", id: `exporting manifest list ${list}`, completed: at(1) }] },
      { statuses: [{ vertex: "x", id, started: at(0) }] },
      { statuses: [{ vertex: "x", id, started: at(0), completed: at(1) }] },
      { statuses: [{ vertex: "x", id, started: at(0), completed: at(1) }] },
      { vertexes: [{ ...exporting, completed: at(2) }] },
    );
    expect(events).toEqual([["s0", { kind: "pushed", reference: `r.io/a@${list}` }]]);
    expect(progress.of("s0")?.pushed).toBe(list);
  });

  it("tells that a push is tried again, once for all the blobs of which BuildKit says so", () => {
    const say = (text: string) => ({ logs: [{ vertex: "x", stream: 2, data: base64(text) }] });
    const fault = "error: unexpected status from POST request to http://r.io: 503\n";
    const { events } = follow(
      ["s0"],
      { vertexes: [{ digest: "x", name: "exporting to image", started: at(0) }] },
      ...["1s", "1s", "2s", "2s"].map((wait) => say(`${fault}retrying in ${wait}\n`)),
    );
    const why = "unexpected status from POST request to http://r.io: 503";
    expect(events.map(([, event]) => event)).toEqual([
      { kind: "again", why, waitMilliseconds: 1_000 },
      { kind: "again", why, waitMilliseconds: 2_000 },
    ]);
  });

  it("passes warnings on once, with their line", () => {
    const warnings = [{ short: base64("stage name is odd"), range: [{ start: { line: 3 } }] }];
    const { events } = follow(
      ["s0"],
      { warnings },
      { warnings },
      { warnings: [{ short: base64("x") }] },
    );
    expect(events.map(([, event]) => event)).toEqual([
      { kind: "warning", text: "stage name is odd", line: 3 },
      { kind: "warning", text: "x", line: undefined },
    ]);
  });

  it("takes a stage that is called like a target for a stage", () => {
    const step = { digest: "d", name: "[s1 1/1] RUN x", started: at(0), completed: at(1) };
    const { events } = follow(["s0"], { vertexes: [step] });
    expect(events.map(([key, event]) => [key, event.kind === "step" && event.name])).toEqual([
      ["s0", "RUN x"],
    ]);
  });
});

describe("the progress of several targets", () => {
  const done = { started: at(0), completed: at(1) };

  it.each([
    ["[s1 2/5] RUN x", "s1", "RUN x"],
    ["[s10 2/5] RUN x", "s10", "RUN x"],
    ["[s1 linux/amd64 build 2/5] RUN [1/2] x", "s1", "RUN [1/2] x"],
    ["[s1 s10 1/1] COPY [s10 1/2] /x", "s1", "COPY [s10 1/2] /x"],
    ["[s1 s10 1/1] RUN a 1/2] b", "s1", "RUN a 1/2] b"],
  ])("%s is a step of %s", (name, key, step) => {
    const { events } = follow(["s1", "s10"], { vertexes: [{ digest: "d", name, ...done }] });
    expect(events.map(([owner, event]) => [owner, event.kind === "step" && event.name])).toEqual([
      [key, step],
    ]);
  });

  it.each(["[internal] load local bake definitions", "[s2 1/1] RUN x", "[s1x 1/1] RUN x"])(
    "%s is nobody's",
    (name) => {
      expect(follow(["s1", "s10"], { vertexes: [{ digest: "d", name, ...done }] }).events).toEqual(
        [],
      );
    },
  );

  it("tells the output of a shared step once, and counts the step for each", () => {
    const shared = (key: string) => ({ digest: "d", name: `[${key} 1/1] RUN make` });
    const { events, progress } = follow(
      ["s0", "s1"],
      { vertexes: [shared("s0")] },
      { vertexes: [shared("s1")] },
      { logs: [{ vertex: "d", data: base64("made\n") }] },
      { vertexes: [{ ...shared("s0"), ...done }] },
      { vertexes: [{ ...shared("s1"), ...done }] },
    );
    expect(events.map(([key, { kind }]) => `${key} ${kind}`)).toEqual([
      "s0 output",
      "s0 step",
      "s1 step",
    ]);
    expect(progress.of("s1")?.steps).toEqual({ done: 1, cached: 0, total: 1 });
  });

  it("tells who failed at the very same step, and not who was stopped or failed elsewhere", () => {
    const failed = (key: string, digest: string, error: string) => ({
      digest,
      name: `[${key} 1/1] RUN make`,
      ...done,
      error,
    });
    const { progress } = follow(["s0", "s1", "s2", "s3"], {
      vertexes: [
        failed("s0", "d", "exit code: 3"),
        failed("s1", "d", "exit code: 3"),
        failed("s2", "e", "exit code: 137: context canceled: context canceled"),
        failed("s3", "f", "exit code: 3"),
      ],
    });
    expect(progress.sharing("s0", "exit code: 3")).toEqual(["s1"]);
    expect(progress.failed("s2")).toBeUndefined();
  });

  it("counts what BuildKit did under another target's name as cached", () => {
    const { progress } = follow(["s0", "s1"], {
      vertexes: [
        { digest: "d", name: "[s0 1/1] COPY x /x", ...done },
        { digest: "e", name: "[s1 1/1] COPY x /x" },
      ],
    });
    expect(progress.of("s0")?.stepsOfSuccess).toEqual({ done: 1, cached: 0, total: 1 });
    expect(progress.of("s1")?.stepsOfSuccess).toEqual({ done: 1, cached: 1, total: 1 });
  });

  it("counts a base image as cached unless it was pulled", () => {
    const from = { digest: "f", name: "[s0 1/1] FROM node:24", ...done };
    expect(
      follow(["s0", "s1"], { vertexes: [from] }).progress.of("s0")?.stepsOfSuccess.cached,
    ).toBe(1);
    const pulled = follow(["s0", "s1"], {
      vertexes: [from],
      statuses: [{ vertex: "f", id: `extracting sha256:${"a".repeat(64)}` }],
    });
    expect(pulled.progress.of("s0")?.stepsOfSuccess.cached).toBe(0);
  });

  it("knows when all that is left is to push", () => {
    const exporting = { digest: "x", name: "[s0] exporting to image", started: at(0) };
    const layers = { vertex: "x", id: "pushing layers" };
    const begun = [{ vertexes: [exporting] }, { statuses: [layers] }];
    expect(follow(["s0", "s1"], begun[0] ?? {}).progress.onlyPushes).toBe(false);
    expect(follow(["s0", "s1"], ...begun).progress.onlyPushes).toBe(true);
    const building = { vertexes: [{ digest: "r", name: "[s1 1/1] RUN x", started: at(0) }] };
    expect(follow(["s0", "s1"], ...begun, building).progress.onlyPushes).toBe(false);
    const over = { statuses: [{ ...layers, completed: at(2) }] };
    expect(follow(["s0", "s1"], ...begun, over).progress.onlyPushes).toBe(false);
  });

  it("takes the same said again for no news", () => {
    const status = { statuses: [{ vertex: "x", id: "transferring", current: 5 }] };
    const { progress } = follow(["s0", "s1"], status, status, status);
    expect(progress.newsAt).toBe(1);
  });
});

describe("the connection to BuildKit", () => {
  it("is known to be waited for", () => {
    const definition = { digest: "l", name: "[internal] load local bake definitions" };
    const waiting = { digest: "w", name: "[internal] waiting for connection", started: at(0) };
    const step = { digest: "a", name: "[s0 1/1] RUN x" };
    expect(follow(["s0"]).progress.waitsForBuilder).toBe(true);
    expect(follow(["s0"], { vertexes: [definition] }).progress.waitsForBuilder).toBe(true);
    expect(follow(["s0"], { vertexes: [waiting] }).progress.waitsForBuilder).toBe(true);
    const over = follow(
      ["s0"],
      { vertexes: [waiting] },
      { vertexes: [{ ...waiting, completed: at(1) }] },
    );
    expect(over.progress.waitsForBuilder).toBe(false);
    expect(follow(["s0", "s1"], { vertexes: [step] }).progress.waitsForBuilder).toBe(false);
  });

  it("keeps every other line as text, also one that only looks like JSON", () => {
    const { progress } = follow(["s0"], "Dockerfile:1", "{not json", "ERROR: no");
    expect(progress.text).toEqual(["Dockerfile:1", "{not json", "ERROR: no"]);
  });
});
