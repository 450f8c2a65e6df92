import { setPriority } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { corpus, isRight, type Result, runCases, Scene } from "../../backup-corpus/index.ts";

const MINUTE = 60_000;
/** It computes for minutes and watches no clock: tests beside it that do, go first. */
const YIELDING = 10;

let results: ReadonlyMap<string, Result>;
let scene: Scene | undefined;

const keyOf = ({ format, level, name }: Result["case"]) => `${format}, ${level}: ${name}`;

/**
 * All that `integrity` claims, and a fixed third of what needs a restore, harmless differences
 * among it: the bench runs the others too.
 */
const chosen = corpus.filter(({ tier }, at) => tier === "integrity" || at % 3 === 0);

beforeAll(async () => {
  setPriority(YIELDING);
  scene = await Scene.build();
  const all = await runCases(chosen, scene);
  results = new Map(all.map((result) => [keyOf(result.case), result]));
}, 20 * MINUTE);

afterAll(async () => {
  await scene?.[Symbol.asyncDispose]();
  setPriority(0);
});

test("the corpus is as large as it claims, and every case has a name of its own", () => {
  const faults = corpus.filter(({ harms }) => harms);
  expect(faults.length).toBeGreaterThanOrEqual(120);
  expect(corpus.length - faults.length).toBeGreaterThanOrEqual(25);
  expect(new Set(corpus.map(keyOf)).size).toBe(corpus.length);
});

describe.each([
  ["what harms is caught by the tier that claims it", true],
  ["what harms nothing does not alarm", false],
])("%s", (_, harms) => {
  test.each(chosen.filter((one) => one.harms === harms).map(keyOf))("%s", (key) => {
    const result = results.get(key);
    if (result === undefined) throw new Error("It was not run.");
    // Where the verdict is wrong, the reader needs the words.
    expect(isRight(result) ? [] : [result.verdict, ...result.words]).toEqual([]);
  });
});
