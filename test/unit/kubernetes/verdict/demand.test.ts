import { describe, expect, it } from "@jest/globals";
import { allOf, parseDemand } from "../../../../shared/kubernetes/verdict/demand.ts";
import { condition, object, type VerdictRow, verdictOn, verdictTable } from "./verdict-table.ts";

const status = {
  phase: "Running",
  replicas: 3,
  healthy: true,
  empty: null,
  conditions: [condition("Ready", "False", "Building"), condition("Synced", "True")],
  parts: [
    { name: "a", done: "yes" },
    { name: "b", done: "no" },
  ],
  "example.com/zone": "north",
};
const widget = object("example.com/v1", "Widget", { status });
const behind = object("example.com/v1", "Widget", { status: { ...status, observedGeneration: 1 } });
const stalled = object("example.com/v1", "Widget", {
  status: { ...status, conditions: [condition("Stalled", "True", "BadSpec", "no such size")] },
});
const job = object("batch/v1", "Job", {
  spec: {},
  status: { conditions: [condition("Failed", "True", "BackoffLimitExceeded")] },
});

const row = (text: string, state: VerdictRow[2], words: string, subject = widget): VerdictRow => [
  text,
  subject,
  state,
  words,
  { demand: parseDemand(text) },
];

verdictTable("what a user demands", [
  row("jsonpath={.status.phase}=Running", "ready", ""),
  row("{.status.phase}=Running", "ready", ""),
  row("jsonpath='{.status.phase}'=Running", "ready", ""),
  row('jsonpath="{.status.phase}"="Running"', "ready", ""),
  row("jsonpath={$.status.phase}=Running", "ready", ""),
  row("jsonpath=.status.phase=Running", "ready", ""),
  row("{.status.phase}", "ready", ""),
  row("{.status.replicas}=3", "ready", ""),
  row("{.status.healthy}=true", "ready", ""),
  row("{.status['phase']}=Running", "ready", ""),
  row("{.status.example\\.com/zone}=north", "ready", ""),
  row("{.status.parts[0].done}=yes", "ready", ""),
  row("{.status.parts[-1].name}=b", "ready", ""),
  row('{.status.conditions[?(@.type=="Synced")].status}=True', "ready", ""),
  row("{.status.phase}=Done", "progressing", '{.status.phase} is "Running", and Done is demanded'),
  row("{.status.parts[*].done}=yes", "progressing", 'is "no", and yes is demanded'),
  row("{.status.color}=red", "progressing", "it has no value at {.status.color}"),
  row("{.status.phase}=Running", "progressing", "not seen the change", behind),
  row("condition=synced", "ready", ""),
  row("condition=Ready=false", "ready", ""),
  row("condition=Ready", "progressing", "Ready is False (Building), and True is demanded"),
  row("condition=Painted", "progressing", "it has no condition Painted yet"),
  row("condition=Synced", "progressing", "older generation", behind),
  row("{.status.phase}=Done", "failed", "it goes no further: BadSpec", stalled),
  row("condition=Failed", "ready", "", job),
  row("condition=Complete", "failed", "JobFailed", job),
]);

describe("several demands on one object", () => {
  const phase = parseDemand("{.status.phase}=Done");
  const ready = parseDemand("condition=Ready");
  const synced = parseDemand("condition=Synced");

  it("are one, each once, in their order", () => {
    expect(allOf([])).toBeUndefined();
    expect(allOf([ready, ready])).toEqual(ready);
    expect(allOf([allOf([phase, ready]) ?? ready, synced, phase])).toMatchObject({
      text: "{.status.phase}=Done, condition=Ready, condition=Synced",
      demands: [phase, ready, synced],
    });
  });

  it("must all hold, and each that does not is told", () => {
    const demand = allOf([synced, phase, ready]);
    expect(verdictOn(widget, { demand })).toMatchObject({
      state: "progressing",
      missing: [
        '{.status.phase} is "Running", and Done is demanded',
        "Ready is False (Building), and True is demanded",
      ],
    });
  });
});

describe("a demand in another form", () => {
  it.each([
    ["", "neither jsonpath={.path}=value nor condition=Type"],
    ["Running", "neither"],
    ["condition=", "neither"],
    ["condition=Ready=a=b", "neither"],
    ["delete", "neither"],
    ["jsonpath={.status.phase", "neither"],
    ["jsonpath={.status.phase}=", "no value after the ="],
    ["jsonpath={}", "it names no field"],
    ["jsonpath={.status..phase}", "at character 10 there is"],
    ["jsonpath={.a}{.b}=c", "one expression in one pair of braces"],
    ["jsonpath={.a[?(@.b=1)]}", "instead of )"],
    ["jsonpath={.a[?(@.b==x)]}", "a quoted text, a number"],
    ["jsonpath={.a[x]}", "a quoted name, an index, * or ?(...)"],
    ["jsonpath={.a[0}", "instead of ]"],
    ["jsonpath={.a b}", 'there is " " instead of . or ['],
  ])("%j", (text, words) => {
    expect(() => parseDemand(text)).toThrow(words);
  });
});
