import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  covers,
  lacking,
  mergedScopes,
  repositoryScope,
  scopesOfToken,
} from "../../../shared/registry/scope.ts";

const token = (claims: object) =>
  `head.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.signature`;
const access = (...actions: string[]) => ({ type: "repository", name: "shop/api", actions });

describe("a token that says what it gives", () => {
  it.each<[string, string, readonly string[] | undefined]>([
    ["all", token({ access: [access("pull", "push")] }), ["repository:shop/api:pull,push"]],
    ["less", token({ access: [access("pull")] }), ["repository:shop/api:pull"]],
    ["nothing", token({ access: [] }), []],
    ["no actions", token({ access: [access()] }), ["repository:shop/api:"]],
    ["not a word of it", token({ sub: "me" }), undefined],
    ["something else", token({ access: "all" }), undefined],
    ["something else within", token({ access: [{ type: "repository" }] }), undefined],
    ["nothing that can be read", "opaque", undefined],
    ["no JSON", "a.b.c", undefined],
  ])("gives %s", (_, text, expected) => {
    expect(scopesOfToken(text)).toEqual(expected);
  });
});

describe("what is lacking", () => {
  it.each<[readonly string[], readonly string[], readonly string[]]>([
    [["repository:a:pull"], ["repository:a:pull,push"], ["repository:a:push"]],
    [["repository:a:pull,push"], ["repository:a:pull"], []],
    [["repository:a:*"], ["repository:a:delete"], []],
    [["repository:b:pull"], ["repository:a:pull"], ["repository:a:pull"]],
    [[], ["repository:a:pull,push"], ["repository:a:pull,push"]],
    [["repository:host:5000/a:pull"], ["repository:host:5000/a:pull"], []],
  ])("of %j for %j is %j", (held, wanted, expected) => {
    expect(lacking(held, wanted)).toEqual(expected);
    expect(covers(held, wanted)).toBe(expected.length === 0);
  });
});

it("scopes of one resource become one, in one order", () => {
  const scopes = ["repository:b:push,pull", "repository:a:pull repository:b:delete", ""];
  expect(mergedScopes(scopes)).toEqual(["repository:a:pull", "repository:b:delete,pull,push"]);
});

it("what is merged covers each of its parts, and no more than all of them", () => {
  const scope = fc
    .tuple(
      fc.constantFrom("a", "b", "c/d"),
      fc.subarray(["pull", "push", "delete"], { minLength: 1 }),
    )
    .map(([path, actions]) => repositoryScope(path, ...actions));
  fc.assert(
    fc.property(fc.array(scope, { minLength: 1 }), (scopes) => {
      const merged = mergedScopes(scopes);
      for (const each of scopes) expect(covers(merged, [each])).toBe(true);
      expect(mergedScopes(merged)).toEqual(merged);
    }),
  );
});
