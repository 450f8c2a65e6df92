import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { type Part, structure } from "../../../shared/action/index.ts";
import { FormatError } from "../../../shared/failure/index.ts";

/** What `read` gives of a value, or what is wrong with it, as `place: message`. */
function reading(value: unknown, read: (whole: Part) => unknown): unknown {
  const result = structure(read).safeParse(value);
  if (result.success) return result.data;
  return result.error.issues.map(
    ({ path, message }) => `${path.map(String).join(", ")}: ${message}`,
  );
}

describe("text", () => {
  it.each<[unknown, unknown]>([
    [" a ", "a"],
    ["", [": it is empty"]],
    [null, [": it is empty"]],
    [1.1, [": put it in quotes, so that YAML leaves it as it is written"]],
    [true, [": put it in quotes, so that YAML leaves it as it is written"]],
    [["a"], [": it is not text"]],
  ])("of %j is %j", (value, expected) => {
    expect(reading(value, (whole) => whole.text())).toEqual(expected);
  });
});

describe("a scalar", () => {
  it.each<[unknown, unknown]>([
    [" a ", " a "],
    ["", ""],
    [1.5, "1.5"],
    [false, "false"],
    [null, [": it is empty"]],
    [{}, [": it is no text"]],
  ])("of %j is %j", (value, expected) => {
    expect(reading(value, (whole) => whole.scalar())).toEqual(expected);
  });
});

describe("a mapping", () => {
  const read = (whole: Part) => {
    const given = whole.keys(["path", "status"]);
    return { path: given.path?.text(), status: given.status?.scalar() };
  };

  it("gives what is there", () => {
    expect(reading({ path: "/", status: 200 }, read)).toEqual({ path: "/", status: "200" });
    expect(reading({}, read)).toEqual({});
  });

  it("tells of all that is wrong at once", () => {
    expect(reading({ path: 1, statsu: 2, zzzzzzzz: 3 }, read)).toEqual([
      ': there is no key "statsu"; did you mean status?',
      ': there is no key "zzzzzzzz"; known are path, status',
      "path: put it in quotes, so that YAML leaves it as it is written",
    ]);
  });

  it.each([null, [], "text", 1])("is not %j", (value) => {
    expect(reading(value, read)).toEqual([": it is not a mapping of names to values"]);
  });

  it("takes names that every object has for what they are", () => {
    expect(reading(JSON.parse('{"__proto__": 1, "constructor": 2}'), read)).toEqual([
      ': there is no key "__proto__"; known are path, status',
      ': there is no key "constructor"; known are path, status',
    ]);
  });
});

describe("a list", () => {
  const read = (whole: Part) => whole.items("check", 2).map((item) => item.text());

  it.each<[unknown, unknown]>([
    [
      ["a", "b"],
      ["a", "b"],
    ],
    [[], [": the list is empty"]],
    ["a", [": it is not a list"]],
    [["a", "b", "c"], [": the list has 3 items, at most 2 may be"]],
    [["a", 1], ["check 2: put it in quotes, so that YAML leaves it as it is written"]],
  ])("of %j is %j", (value, expected) => {
    expect(reading(value, read)).toEqual(expected);
  });

  it("may be left out where there is only one item", () => {
    const texts = (whole: Part) => whole.oneOrMore().map((item) => item.scalar());
    expect(reading("a", texts)).toEqual(["a"]);
    expect(reading(["a", 1], texts)).toEqual(["a", "1"]);
    expect(reading([], texts)).toEqual([": it is empty"]);
    expect(reading(["a", {}], texts)).toEqual(["item 2: it is no text"]);
  });
});

it("notes what a reader says of the form, at its place", () => {
  const read = (whole: Part) =>
    whole.keys(["a"]).a?.parsed(() => {
      throw new FormatError("it has another form");
    });
  expect(reading({ a: "x" }, read)).toEqual(["a: it has another form"]);
});

it("lets no bug of a reader pass for a user's mistake", () => {
  const read = (whole: Part) =>
    whole.as(() => {
      throw new TypeError("bug");
    });
  expect(() => reading("x", read)).toThrow(TypeError);
});

it("never throws for any value, and never quotes one", () => {
  const read = (whole: Part) =>
    whole.items("item").map((item) => {
      const given = item.keys(["name", "tags"]);
      return [given.name?.text(), given.tags?.oneOrMore().map((tag) => tag.scalar())];
    });
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const secret = "s3cr3t-value";
      const messages = reading([{ name: [secret, value], tags: { a: secret } }, value], read);
      expect(JSON.stringify(messages)).not.toContain(secret);
    }),
  );
});
