import { describe, expect, it } from "@jest/globals";
import { apiError } from "../../../shared/kubernetes/api-error.ts";
import type { Cluster } from "../../../shared/kubernetes/index.ts";
import { reprieve } from "../../../shared/kubernetes/rollout/second-look.ts";
import type { Cause } from "../../../shared/kubernetes/verdict/index.ts";

const cause: Cause = {
  key: "k",
  reason: "ConfigError",
  message: 'container "web" of pod web-1 cannot be created: configmap "settings" not found',
  remedy: "",
  grace: 10_000,
  since: 0,
  certainAt: 10_000,
};

function cluster(answer: () => unknown): Cluster {
  return { get: async () => answer() } as unknown as Cluster;
}
const fail = (status: number) =>
  cluster(() => {
    throw apiError(status, "", { verb: "get", resource: "configmaps" });
  });
const never = cluster(() => {
  throw new Error("must not be asked");
});

const holding = (data: object) => cluster(() => ({ data }));
const keyless = { ...cause, message: "couldn't find key a in ConfigMap shop/b" };

describe("what misses its configuration", () => {
  it.each([
    ["is given no more time when that still does not exist", fail(404), cause, 0],
    ["is given the time of another try when it exists by now", cluster(() => ({})), cause, 20_000],
    ["is given the benefit of the doubt when nobody may know", fail(403), cause, 10_000],
    ["... and when nobody can tell what is missing", never, { ...cause, message: "odd" }, 10_000],
    ["... but not for a variable", never, { ...cause, message: "missing value for TENANT" }, 0],
    ["is given no more time for a key that is still missing", holding({ b: "" }), keyless, 0],
    ["... and another try for one that is there by now", holding({ a: "" }), keyless, 20_000],
    ["is given none when no waiting helps", never, { ...cause, grace: 0 }, 0],
    ["is no other fault", never, { ...cause, reason: "ImagePull" as const }, 0],
  ])("%s", async (_, answering, subject, expected) => {
    expect(await reprieve(answering, "shop", subject)).toBe(expected);
  });
});
