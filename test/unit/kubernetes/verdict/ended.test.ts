import { expect, it } from "@jest/globals";
import { hasRun } from "../../../../shared/kubernetes/verdict/ended.ts";
import { condition, object } from "./verdict-table.ts";

const job = (spec: object, ...conditions: readonly object[]) =>
  object("batch/v1", "Job", { spec, status: { conditions } });
const brief = { ttlSecondsAfterFinished: 0 };
const complete = condition("Complete", "True");

it.each([
  ["a Job that is complete, and removed by its time to live", job(brief, complete), true],
  ["one that has failed", job(brief, condition("Failed", "True")), true],
  ["one that runs", job(brief), false],
  ["one that only somebody can have deleted", job({}, complete), false],
  ["a Deployment", object("apps/v1", "Deployment", { spec: {} }), false],
])("the verdict stays when it goes away: %s", (...[, subject, stays]) => {
  expect(hasRun(subject)).toBe(stays);
});
