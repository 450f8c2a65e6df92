import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import { withDescription } from "../../../shared/helm/describe-revision.ts";

const packed = (json: string) => gzipSync(json).toString("base64");
const unpacked = (text: string | undefined) =>
  gunzipSync(Buffer.from(text ?? "", "base64")).toString();

const RECORD =
  '{"info":{"status":"deployed","description":"Rollback to 4"},"config":{"big":12345678901234567890},"version":7}';

describe("the description of a rollback", () => {
  it("is changed, and nothing else, to the last digit", () => {
    const text = 'Rollback to 4 by octocat: "checkout" fails $&';
    const changed = unpacked(withDescription(packed(RECORD), text));
    expect(changed).toBe(RECORD.replace('"Rollback to 4"', () => JSON.stringify(text)));
    expect(JSON.parse(changed).info.description).toBe(text);
  });

  it.each([
    ["of another operation", RECORD.replace("Rollback to 4", "Upgrade complete")],
    [
      "that is there twice",
      RECORD.replace('"version"', '"chart":{"description":"Rollback to 4"},"version"'),
    ],
  ])("%s is left as it is", (_, record) => {
    expect(withDescription(packed(record), "x")).toBeUndefined();
  });
});
