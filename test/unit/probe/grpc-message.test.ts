import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { decodeHealthResponse, encodeHealthRequest } from "../../../shared/probe/health-message.ts";

describe("a HealthCheckRequest", () => {
  it.each<[string, string]>([
    ["", ""],
    ["a", "0a0161"],
    ["größe", `0a07${Buffer.from("größe").toString("hex")}`],
    ["x".repeat(300), `0aac02${"78".repeat(300)}`],
  ])("of %j", (service, hex) => {
    expect(encodeHealthRequest(service).toString("hex")).toBe(hex);
  });
});

describe("a HealthCheckResponse", () => {
  it.each<[string, string]>([
    ["", "UNKNOWN"],
    ["0801", "SERVING"],
    ["0802", "NOT_SERVING"],
    ["0803", "SERVICE_UNKNOWN"],
    ["0809", "status 9"],
    // Fields of all kinds that are not known, before and after.
    ["12026869" + "0801" + "1d00000000" + "210000000000000000", "SERVING"],
    // The last one of several counts.
    ["08020801", "SERVING"],
  ])("%s is %s", (hex, state) => {
    expect(decodeHealthResponse(Buffer.from(hex, "hex"))).toBe(state);
  });

  it.each(["08", "0a05", "ffffffffffffffffffff", "00", "0b", "1d0000"])("is not %s", (hex) => {
    expect(() => decodeHealthResponse(Buffer.from(hex, "hex"))).toThrow();
  });

  it("never hangs or reads beyond its end", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          expect(typeof decodeHealthResponse(Buffer.from(bytes))).toBe("string");
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });
});
