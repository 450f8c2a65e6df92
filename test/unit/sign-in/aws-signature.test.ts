import { describe, expect, it } from "@jest/globals";
import { signatureHeaders } from "../../../shared/sign-in/aws-signature.ts";

/** Keys, time and answers of AWS's own test suite for Signature Version 4. */
const KEYS = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};
const SUITE = { region: "us-east-1", service: "service", now: Date.UTC(2015, 7, 30, 12, 36, 0) };

describe("a signature for AWS", () => {
  it.each([
    [
      "get-vanilla",
      { method: "GET", url: "https://example.amazonaws.com/", headers: {}, body: "" },
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ],
    [
      "post-vanilla",
      { method: "POST", url: "https://example.amazonaws.com/", headers: {}, body: "" },
      "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ],
    [
      "get-vanilla-query-order-key-case",
      {
        method: "GET",
        url: "https://example.amazonaws.com/?Param2=value2&Param1=value1",
        headers: {},
        body: "",
      },
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ],
    [
      "post-x-www-form-urlencoded",
      {
        method: "POST",
        url: "https://example.amazonaws.com/",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: "Param1=value1",
      },
      "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ],
  ])("is that of the suite's %s", (_, { url, ...request }, signature) => {
    const signed = signatureHeaders({ ...SUITE, ...request, url: new URL(url) }, KEYS);
    expect(signed.authorization).toMatch(new RegExp(`Signature=${signature}$`));
  });

  it("names the session that the keys belong to, and signs that too", () => {
    const request = { ...SUITE, method: "POST", url: new URL("https://x.example/"), headers: {} };
    const signed = signatureHeaders({ ...request, body: "" }, { ...KEYS, sessionToken: "session" });
    expect(signed["x-amz-security-token"]).toBe("session");
    expect(signed.authorization).toContain("SignedHeaders=host;x-amz-date;x-amz-security-token");
  });
});
