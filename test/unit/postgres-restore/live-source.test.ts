import { expect, test } from "@jest/globals";
import { sinceTheDump } from "../../../shared/postgres-restore/index.ts";
import type { Finding } from "../../../shared/proof/index.ts";

const counted = (expected: string, found: string): Finding => ({
  ...{ detector: "row-count", tier: "data", weight: "damage", subject: "table public.orders" },
  ...{ what: "It has fewer rows.", expected, found },
});

test.each([
  ["a few rows more at the source", "1,200 rows", "1,195 rows", "note"],
  ["a tenth of a small table", "20 rows", "15 rows", "note"],
  ["a good part of a table", "1,200 rows", "1,000 rows", "doubt"],
  ["nothing at all", "3 rows", "0 rows", "doubt"],
  ["more than the source has now", "1,000 rows", "1,200 rows", "note"],
])("%s: %s, and %s in the dump, is a %s", (_, expected, found, weight) => {
  expect(sinceTheDump(counted(expected, found)).weight).toBe(weight);
});
