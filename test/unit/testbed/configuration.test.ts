import { describe, expect, it } from "@jest/globals";
import { freeSubnet } from "../../testbed/bed.ts";
import { readConfiguration } from "../../testbed/configuration.ts";

describe("the configuration", () => {
  it("has a default for everything", () => {
    expect(readConfiguration({ XDG_CACHE_HOME: "/cache" })).toEqual({
      name: "seaworthy",
      cache: "/cache/seaworthy/testbed",
      // Where servers that run without root's rights can enter.
      systems:
        process.getuid?.() === 0
          ? "/var/cache/seaworthy/systems"
          : "/cache/seaworthy/testbed/systems",
      state: "/var/tmp/seaworthy/seaworthy",
      registryPort: undefined,
      subnet: undefined,
    });
  });

  it("takes all of it from the environment", () => {
    expect(
      readConfiguration({
        SEAWORTHY_TESTBED_NAME: "mine",
        SEAWORTHY_TESTBED_CACHE: "/big/cache",
        SEAWORTHY_TESTBED_STATE: "/big/beds",
        SEAWORTHY_TESTBED_REGISTRY_PORT: "5001",
        SEAWORTHY_TESTBED_SUBNET: "172.30.7",
      }),
    ).toEqual({
      name: "mine",
      cache: "/big/cache",
      systems: "/big/cache/systems",
      state: "/big/beds/mine",
      registryPort: 5001,
      subnet: "172.30.7",
    });
  });

  it("reports every mistake at once, each with its variable", () => {
    const read = () =>
      readConfiguration({
        SEAWORTHY_TESTBED_NAME: "../up",
        SEAWORTHY_TESTBED_REGISTRY_PORT: "70000",
        SEAWORTHY_TESTBED_SUBNET: "10.1",
      });
    for (const variable of ["NAME", "REGISTRY_PORT", "SUBNET"]) {
      expect(read).toThrow(`SEAWORTHY_TESTBED_${variable} is `);
    }
  });

  it.each(["/run/beds", "/var/lib/beds", `/${"long".repeat(20)}`])(
    "refuses to keep its state in %s",
    (folder) => {
      expect(() => readConfiguration({ SEAWORTHY_TESTBED_STATE: folder })).toThrow(
        "SEAWORTHY_TESTBED_STATE gives",
      );
    },
  );
});

describe("the subnet of a bed", () => {
  it("is the same for the same name, and not one that is taken", () => {
    const first = freeSubnet("seaworthy", new Set());
    expect(freeSubnet("seaworthy", new Set())).toBe(first);
    expect(freeSubnet("seaworthy", new Set([first]))).not.toBe(first);
  });

  it("is asked for when all are taken", () => {
    const all = new Set(Array.from({ length: 256 }, (_, index) => `10.213.${index}`));
    expect(() => freeSubnet("seaworthy", all)).toThrow("Set SEAWORTHY_TESTBED_SUBNET");
  });
});
