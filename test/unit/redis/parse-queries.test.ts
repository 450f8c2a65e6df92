import { describe, expect, it } from "@jest/globals";
import { isForRedis, parseRedisQueries } from "../../../shared/redis/index.ts";

function problems(text: string): string {
  try {
    parseRedisQueries(text);
    return "";
  } catch (error) {
    return (error as { cause: string }).cause;
  }
}

describe("queries of Redis", () => {
  it("are commands in words or as a list, with what they must answer", () => {
    const text = `
      - { name: cards, command: "HGET card:17 owner", expect: { equals: anna } }
      - { command: [DBSIZE], database: 3, expect: { min: 1, max: 10 } }
      - { command: [GET, "a b"], expect: { matches: "^\\\\d+$" } }
    `;
    expect(isForRedis(text)).toBe(true);
    expect(parseRedisQueries(text)).toMatchObject([
      { name: "cards", command: ["HGET", "card:17", "owner"], expect: { equals: "anna" } },
      { name: "query 2", command: ["DBSIZE"], database: 3, expect: { min: 1, max: 10 } },
      { command: ["GET", "a b"], expect: { matches: /^\d+$/u } },
    ]);
  });

  it("are told apart from those of PostgreSQL", () => {
    expect(isForRedis("[{name: a, sql: SELECT 1, expect: {rows: 1}}]")).toBe(false);
    expect(isForRedis("{")).toBe(false);
  });

  it.each([
    ["[{command: '', expect: {min: 1}}]", "entry 1 has no `command`"],
    ["[{command: DBSIZE}]", "has no `expect`"],
    ["[{command: DBSIZE, expect: {rows: 1}}]", "`rows` of entry 1 is unknown"],
    ["[{command: DBSIZE, expect: {min: few}}]", "`min` of entry 1 is no number"],
    ["[{command: DBSIZE, database: -1, expect: {min: 1}}]", "is no number of one"],
    ["[{command: DBSIZE, sql: x, expect: {matches: '('}}]", "`sql`, which is unknown"],
    ["[{command: DBSIZE, expect: {matches: '('}}]", "no regular expression"],
    ["[1]", "entry 1 is no map"],
  ])("%s: %s", (text, said) => {
    expect(problems(text)).toContain(said);
  });
});
