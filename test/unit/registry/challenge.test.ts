import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { parseChallenges } from "../../../shared/registry/challenge.ts";

describe("what a registry asks for", () => {
  it.each([
    ["", []],
    ['Basic realm="x"', [{ scheme: "basic", parameters: { realm: "x" } }]],
    [
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"',
      [
        {
          scheme: "bearer",
          parameters: {
            realm: "https://auth.docker.io/token",
            service: "registry.docker.io",
            scope: "repository:a/b:pull,push",
          },
        },
      ],
    ],
    [
      'bearer Realm = "https://r" , Service=plain, Basic realm="say \\"hi\\", you"',
      [
        { scheme: "bearer", parameters: { realm: "https://r", service: "plain" } },
        { scheme: "basic", parameters: { realm: 'say "hi", you' } },
      ],
    ],
    [
      "Negotiate, Basic",
      [
        { scheme: "negotiate", parameters: {} },
        { scheme: "basic", parameters: {} },
      ],
    ],
    ['realm="no scheme"', []],
    ['Bearer realm="unclosed', [{ scheme: "bearer", parameters: {} }]],
  ])("%s", (header, expected) => {
    expect(parseChallenges(header)).toEqual(expected);
  });

  it("is read to an end, whatever it says", () => {
    fc.assert(fc.property(fc.string(), (header) => Array.isArray(parseChallenges(header))));
  });

  it("keeps every quoted value", () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        const quoted = value.replace(/["\\]/g, "\\$&");
        expect(parseChallenges(`Bearer realm="${quoted}"`)[0]?.parameters.realm).toBe(value);
      }),
    );
  });
});
