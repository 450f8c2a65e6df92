import { describe, expect, it } from "@jest/globals";
import { digestOf } from "../../../shared/helm/dependencies.ts";

describe("the digest of Chart.lock", () => {
  // Both were written by helm dependency update.
  it.each([
    [
      [{ name: "db", version: "0.2.0", repository: "file://../db" }],
      [{ name: "db", version: "0.2.0", repository: "file://../db" }],
      "sha256:e9c8205ddb6f39a1e91e6675353ce862a6636e7f064c2917c7b1e51283b1cee9",
    ],
    [
      [
        {
          name: "db",
          version: ">=0.1.0 <1.0.0",
          repository: "file://../db",
          condition: "db.enabled",
          tags: ["a", "b"],
          alias: "store",
          "import-values": [{ parent: "p", child: "c" }, "data"],
        },
      ],
      [{ name: "db", version: "0.2.0", repository: "file://../db" }],
      "sha256:789a185117c1b267d92b449df6476085e045ce924e04f2942a56a1ca00b60a56",
    ],
  ])("is Helm's own", (required, locked, digest) => {
    expect(digestOf(required, locked)).toBe(digest);
  });
});
