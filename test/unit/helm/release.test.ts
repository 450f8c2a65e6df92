import { gzipSync } from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import { standingOf, storageKind } from "../../../shared/helm/index.ts";
import {
  type ReleaseStatus,
  type Revision,
  revisionOf,
  revisionOfOutput,
} from "../../../shared/helm/release.ts";

const revision = (number: number, status: ReleaseStatus): Revision => ({
  revision: number,
  status,
  description: "",
  updated: 0,
  chart: "c-1",
  appVersion: "",
  manifest: "",
});

type Case = [
  title: string,
  history: [number, ReleaseStatus][],
  state: string,
  last: number | undefined,
  good: number | undefined,
];

const STANDINGS: readonly Case[] = [
  ["never installed", [], "absent", undefined, undefined],
  [
    "uninstalled, history kept",
    [
      [1, "superseded"],
      [2, "uninstalled"],
    ],
    "absent",
    undefined,
    undefined,
  ],
  [
    "deployed",
    [
      [1, "superseded"],
      [2, "deployed"],
    ],
    "settled",
    2,
    2,
  ],
  [
    "failed on top",
    [
      [1, "deployed"],
      [2, "failed"],
    ],
    "settled",
    2,
    1,
  ],
  ["never good", [[1, "failed"]], "settled", 1, undefined],
  ["killed in the first install", [[1, "pending-install"]], "pending", 1, undefined],
  [
    "killed in an upgrade",
    [
      [1, "deployed"],
      [2, "pending-upgrade"],
    ],
    "pending",
    2,
    1,
  ],
  [
    "killed in a rollback",
    [
      [1, "superseded"],
      [2, "deployed"],
      [3, "pending-rollback"],
    ],
    "pending",
    3,
    2,
  ],
  [
    "killed between superseding and deploying",
    [
      [1, "superseded"],
      [2, "pending-upgrade"],
    ],
    "pending",
    2,
    1,
  ],
  ["killed in an uninstall", [[1, "uninstalling"]], "pending", 1, undefined],
  [
    "an old pending one under a good one",
    [
      [1, "deployed"],
      [2, "pending-upgrade"],
      [3, "deployed"],
    ],
    "settled",
    3,
    3,
  ],
];

describe("where a release stands", () => {
  it.each(STANDINGS)("%s", (_, history, state, last, good) => {
    const standing = standingOf(history.map(([number, status]) => revision(number, status)));
    expect(standing.state).toBe(state);
    if (standing.state === "absent") return;
    expect({ last: standing.last.revision, good: standing.good?.revision }).toEqual({ last, good });
  });
});

describe("Helm's records", () => {
  const release = {
    name: "shop",
    version: 3,
    info: {
      status: "deployed",
      description: "Upgrade complete",
      last_deployed: "2026-01-02T03:04:05Z",
    },
    manifest: "kind: X",
    chart: { metadata: { name: "shop", version: "1.2.3", appVersion: "7" } },
  };
  const expected: Revision = {
    revision: 3,
    status: "deployed",
    description: "Upgrade complete",
    updated: Date.parse("2026-01-02T03:04:05Z"),
    chart: "shop-1.2.3",
    appVersion: "7",
    manifest: "kind: X",
  };
  const encoded = gzipSync(JSON.stringify(release)).toString("base64");
  const metadata = { name: "sh.helm.release.v1.shop.v3" };

  it("are read from a Secret", () => {
    const data = { release: Buffer.from(encoded).toString("base64") };
    expect(revisionOf({ apiVersion: "v1", kind: "Secret", metadata, data })).toEqual(expected);
  });

  it("are read from a ConfigMap", () => {
    const data = { release: encoded };
    expect(revisionOf({ apiVersion: "v1", kind: "ConfigMap", metadata, data })).toEqual(expected);
  });

  it("are read from Helm's output", () => {
    expect(revisionOfOutput(JSON.stringify(release))).toEqual(expected);
  });

  it("are looked for where HELM_DRIVER says", () => {
    expect([undefined, "", "secret", "secrets"].map(storageKind)).toEqual(Array(4).fill("Secret"));
    expect(storageKind("configmap")).toBe("ConfigMap");
    expect(() => storageKind("sql")).toThrow(/not kept in the cluster/);
  });
});
