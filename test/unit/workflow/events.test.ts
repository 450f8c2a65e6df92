import { describe, expect, it } from "@jest/globals";
import { readEvent } from "../../workflow/act/events.ts";

const STEP = { jobID: "deploy", stepID: ["upgrade"], stage: "Main" };
const from = (line: object) => readEvent(JSON.stringify({ ...STEP, ...line }));
const at = { job: "deploy", step: "upgrade" };

describe("a line of act", () => {
  it("may be what a step printed, without colours", () => {
    expect(from({ raw_output: true, msg: "\u001b[33m2\u001b[39m pods\r\n" })).toEqual({
      kind: "line",
      ...at,
      text: "2 pods",
    });
  });

  it("may be an annotation", () => {
    const line = { command: "error", arg: "no\nimage", kvPairs: { title: "Failed" } };
    expect(from(line)).toEqual({
      kind: "annotation",
      ...at,
      level: "error",
      title: "Failed",
      message: "no\nimage",
    });
  });

  it("may be an output or a summary", () => {
    expect(from({ command: "set-output", name: "revision", arg: "3" })).toEqual({
      kind: "output",
      ...at,
      name: "revision",
      value: "3",
    });
    expect(from({ command: "summary", content: "## ok" })).toEqual({
      kind: "summary",
      ...at,
      markdown: "## ok",
    });
  });

  it("may be the end of a step or of a job", () => {
    expect(from({ stepResult: "failure", executionTime: 1_500_000 })).toEqual({
      kind: "step-ended",
      ...at,
      result: "failure",
      milliseconds: 1.5,
    });
    expect(readEvent(JSON.stringify({ jobID: "deploy", jobResult: "success" }))).toEqual({
      kind: "job-ended",
      job: "deploy",
      result: "success",
    });
  });

  it("may be act's own words, in JSON or not", () => {
    expect(readEvent("Error: Job failed")).toEqual({ kind: "note", text: "Error: Job failed" });
    expect(readEvent('{"level":"warning","msg":"no docker"}')).toEqual({
      kind: "note",
      text: "no docker",
    });
    expect(readEvent("")).toBeUndefined();
  });

  it("says nothing of folded groups and of what is after the step", () => {
    expect(from({ command: "group", arg: "Evidence" })).toBeUndefined();
    expect(from({ stage: "Post", msg: "⭐ Run Post" })).toBeUndefined();
  });
});
