import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { workerIn } from "../../../../shared/buildkit/builder/control.ts";

/** A field that has a length, as protobuf writes it. */
const field = (number: number, value: Uint8Array | string) => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([number * 8 + 2, bytes.length]), bytes]);
};
const platform = (os: string, architecture: string, variant = "") =>
  field(3, Buffer.concat([field(1, architecture), field(2, os), field(3, variant)]));
const version = (text: string) =>
  field(5, Buffer.concat([field(1, "github.com/moby/buildkit"), field(2, text)]));

describe("what a BuildKit says of its workers", () => {
  it("is the version and the first platform of the first worker", () => {
    const worker = Buffer.concat([
      field(1, "an id"),
      platform("linux", "arm64", "v8"),
      platform("linux", "amd64"),
      version("v0.32.2"),
    ]);
    const other = field(1, Buffer.concat([platform("windows", "amd64"), version("v0.1.0")]));
    expect(workerIn(Buffer.concat([field(1, worker), other]))).toEqual({
      version: "v0.32.2",
      platform: "linux/arm64/v8",
    });
  });

  it("may be less, from one that is old", () => {
    expect(workerIn(field(1, platform("linux", "amd64")))).toEqual({
      version: undefined,
      platform: "linux/amd64",
    });
    expect(workerIn(Buffer.alloc(0))).toEqual({ version: undefined, platform: undefined });
  });

  it("is read to its end, whatever it is", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(Object.keys(workerIn(bytes))).toEqual(["version", "platform"]);
      }),
    );
  });
});
