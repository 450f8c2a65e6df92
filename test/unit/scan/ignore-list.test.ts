import { describe, expect, it } from "@jest/globals";
import { isExpired, parseIgnoreList } from "../../../shared/scan/ignore-list.ts";

const now = Date.parse("2026-11-21T20:00:00Z");
const parse = (text: string) => parseIgnoreList(text, now);

describe("a list of what is ignored", () => {
  it("has entries with their lines", () => {
    const text = `# known
- id: CVE-2026-1
  until: 2026-12-31
  reason: not reachable
- id: GHSA-x
  package: left-pad
  service: web
  until: "2027-01-01"
  reason: >-
    mended
    - upstream
`;
    expect(parse(text)).toEqual({
      problems: [],
      entries: [
        { id: "CVE-2026-1", until: "2026-12-31", reason: "not reachable", line: 2 },
        {
          id: "GHSA-x",
          package: "left-pad",
          service: "web",
          until: "2027-01-01",
          reason: expect.any(String),
          line: 5,
        },
      ].map((entry) => ({ package: undefined, service: undefined, ...entry })),
    });
  });

  it.each(["", "# nothing\n", "[]"])("may be empty: %j", (text) => {
    expect(parse(text)).toEqual({ entries: [], problems: [] });
  });

  it.each([
    ["id: x", 1, /not a list/],
    ["- [\n", 2, /no YAML/],
    ["- x", 1, /an entry is a mapping/],
    ["\n- {until: 2026-12-01, reason: r}", 2, /id is missing/],
    ["- {id: X, reason: r}", 1, /until is missing/],
    ["- {id: X, until: 2026-12-01}", 1, /reason is missing/],
    ["- {id: X, until: 2026-12-01, reason: ''}", 1, /reason is missing/],
    ["- {id: X, until: tomorrow, reason: r}", 1, /until is no day/],
    ["- {id: X, until: 2026-02-31, reason: r}", 1, /until is no day/],
    ["- {id: X, until: 2027-12-01, reason: r}", 1, /more than a year ahead/],
    ["- {id: X, until: 2026-12-01, reson: r, reason: r}", 1, /no key reson; did you mean reason/],
  ])("with %j is refused", (text, line, problem) => {
    const { problems, entries } = parse(text);
    expect(problems[0]).toEqual({ line, problem: expect.stringMatching(problem) });
    expect(entries).toEqual([]);
  });

  it("holds to the end of its day, and no longer", () => {
    expect(isExpired({ until: "2026-11-21" }, now)).toBe(false);
    expect(isExpired({ until: "2026-11-21" }, Date.parse("2026-11-21T23:59:59Z"))).toBe(false);
    expect(isExpired({ until: "2026-11-21" }, Date.parse("2026-11-22T00:00:00Z"))).toBe(true);
  });
});
