import { describe, expect, it } from "@jest/globals";
import { refused, unreachable, wordsOf } from "../../../shared/registry/registry-error.ts";

const url = new URL("https://ghcr.io/v2/me/api/manifests/1");
const scopes = ["repository:me/api:pull,push"];
const given = undefined;
const body = (text: string) => ({ body: Buffer.from(text) });
const denied = '{"errors":[{"code":"DENIED","message":"not yours"}]}';

describe("a refusal", () => {
  it.each([
    [
      401,
      undefined,
      /does not accept us without credentials/,
      /without credentials.*401.*repository:me\/api:pull,push/,
    ],
    [401, "me", /does not accept the credentials/, /as me.*401/],
    [
      403,
      "me",
      /forbids it/,
      /403 Forbidden, in its words: DENIED: not yours.*scope that is missing is repository:me\/api:pull,push/,
    ],
    [500, "me", /answered 500/, /answered 500, in its words/],
  ])("with status %s as %s", (status, as, title, cause) => {
    const response = { status, headers: {}, ...body(denied) };
    const error = refused({ method: "GET", url, scopes, as, given }, response);
    expect(error.title).toMatch(title);
    expect(error.cause).toMatch(cause);
    expect(error.remedy).not.toBe("");
  });
});

it.each<[readonly string[] | undefined, RegExp]>([
  [undefined, /scope that is missing is repository:me\/api:pull,push\./],
  [
    ["repository:me/api:pull"],
    /missing is repository:me\/api:push: its token server gave only repository:me\/api:pull\./,
  ],
  [[], /missing is repository:me\/api:pull,push: its token server gave nothing\./],
  [["repository:me/api:pull,push"], /missing is repository:me\/api:pull,push\./],
])("with a token for %j names what it lacks", (held, cause) => {
  const response = { status: 403, headers: {}, ...body(denied) };
  const question = { method: "PUT", url, scopes, as: "me", given: held };
  expect(refused(question, response).cause).toMatch(cause);
});

it.each<[number, string, RegExp]>([
  [507, "", /is full/],
  [403, "storage quota exceeded", /is full/],
  [429, "quota exceeded for requests", /answered 429/],
  [405, "", /is read-only/],
  [503, "registry is in read-only mode", /is read-only/],
  [413, "", /answered 413/],
])("status %s with the words %j is told as what it is", (status, words, title) => {
  const response = { status, headers: {}, body: Buffer.from(words) };
  const question = { method: "PUT", url, scopes, as: "me", given };
  expect(refused(question, response)).toMatchObject({
    title: expect.stringMatching(title),
    status,
    words,
  });
});

it("names address and system error where there is no answer", () => {
  const error = Object.assign(new Error("connect ECONNREFUSED 1.2.3.4:443"), {
    code: "ECONNREFUSED",
  });
  const failure = unreachable({ method: "GET", url, scopes, as: undefined, given }, error);
  expect(failure.cause).toBe(
    "GET https://ghcr.io/v2/me/api/manifests/1: connect ECONNREFUSED 1.2.3.4:443.",
  );
  expect(failure.remedy).toMatch(/Check host and port/);
});

it.each([
  [denied, "DENIED: not yours"],
  ['{"details":"incorrect username or password"}', "incorrect username or password"],
  ['{"message":"no"}', "no"],
  ["plain words\nand more", "plain words"],
  ["<html>no</html>", ""],
  ["", ""],
])("the words in %s are %j", (text, expected) => {
  expect(wordsOf(body(text))).toBe(expected);
});
