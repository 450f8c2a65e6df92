import { describe, expect, it } from "@jest/globals";
import { parseSource } from "../../../shared/manifests/index.ts";

const sha256 = "a".repeat(64);

describe("a source", () => {
  it.each([
    ["k8s/web.yaml", { kind: "path", path: "k8s/web.yaml" }],
    ["k8s/**/*.{yml,yaml}", { kind: "path", path: "k8s/**/*.{yml,yaml}" }],
    ["große Manifeste/☂.yaml", { kind: "path", path: "große Manifeste/☂.yaml" }],
    [`https://host/x.yaml#sha256=${sha256}`, { kind: "url", url: "https://host/x.yaml", sha256 }],
    [
      `https://host/x.yaml?a=b sha256:${sha256}`,
      { kind: "url", url: "https://host/x.yaml?a=b", sha256 },
    ],
    [
      `http://host/x.yaml#sha256=${sha256.toUpperCase()}`,
      { kind: "url", url: "http://host/x.yaml", sha256 },
    ],
  ])("%s", (line, source) => {
    expect(parseSource(line)).toEqual(source);
  });

  it.each([
    ["https://host/x.yaml", /the checksum is missing/],
    ["https://host/x.yaml#sha256=abc", /64 hex digits/],
    [`ftp://host/x.yaml#sha256=${sha256}`, /only https and http/],
    [`file:///etc/passwd#sha256=${sha256}`, /only https and http/],
    [`https://user:secret@host/x.yaml#sha256=${sha256}`, /^(?!.*secret).*no user and password/],
    ["https://", /is no address/],
    ["--flag", /is no path/],
  ])("%s is refused", (line, words) => {
    expect(() => parseSource(line)).toThrow(words);
  });
});
