import { gzipSync } from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import { goodIn, standingOf, storageKind } from "../../../shared/helm/index.ts";
import { proofLabels, proofOf } from "../../../shared/helm/proof.ts";
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
  hooks: [],
  serverSide: false,
  proof: "unknown",
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
    hooks: [{ name: "migrate", manifest: "kind: Job" }],
    apply_method: "ssa",
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
    hooks: ["kind: Job"],
    serverSide: true,
    proof: "unknown",
  };
  const KEYS = Object.keys(expected) as (keyof Revision)[];
  /** All of it, for most is read only when it is asked for. */
  const read = (found: Revision) => Object.fromEntries(KEYS.map((key) => [key, found[key]]));
  const encoded = gzipSync(JSON.stringify(release)).toString("base64");
  const metadata = { name: "sh.helm.release.v1.shop.v3" };

  it("are read from a Secret", () => {
    const data = { release: Buffer.from(encoded).toString("base64") };
    const found = revisionOf({ apiVersion: "v1", kind: "Secret", metadata, data });
    expect(read(found)).toEqual(expected);
  });

  it("are read from a ConfigMap", () => {
    const data = { release: encoded };
    const found = revisionOf({ apiVersion: "v1", kind: "ConfigMap", metadata, data });
    expect(read(found)).toEqual(expected);
  });

  it("are not unpacked for what their labels tell", () => {
    const labels = { version: "7", status: "superseded", "seaworthy.dev/proven": "7" };
    const record = { apiVersion: "v1", kind: "Secret", metadata: { ...metadata, labels } };
    const { revision: number, status, proof } = revisionOf(record);
    expect({ number, status, proof }).toEqual({
      number: 7,
      status: "superseded",
      proof: "proven",
    });
    expect(() => revisionOf(record).manifest).toThrow();
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

describe("the revision to go back to", () => {
  const history = (...rows: [ReleaseStatus, Revision["proof"]][]) =>
    rows.map(([status, proof], index) => ({ ...revision(index + 1, status), proof }));

  it.each<[string, [ReleaseStatus, Revision["proof"]][], number | undefined]>([
    [
      "is not one that was kept although it failed",
      [
        ["superseded", "proven"],
        ["deployed", "unproven"],
      ],
      1,
    ],
    [
      "is the newest that was proven",
      [
        ["superseded", "proven"],
        ["superseded", "proven"],
        ["deployed", "unproven"],
      ],
      2,
    ],
    [
      "is one that somebody else's Helm deployed since",
      [
        ["superseded", "proven"],
        ["superseded", "unknown"],
        ["deployed", "unproven"],
      ],
      2,
    ],
    [
      "is not one that failed in somebody else's hands",
      [
        ["deployed", "proven"],
        ["failed", "unknown"],
      ],
      1,
    ],
    ["is none where none was proven", [["deployed", "unproven"]], undefined],
  ])("%s", (_, rows, good) => {
    expect(goodIn(history(...rows))?.revision).toBe(good);
  });

  it("tells a mark from one that Helm copied from another revision", () => {
    expect(proofOf({ "seaworthy.dev/proven": "3" }, 3)).toBe("proven");
    expect(proofOf({ "seaworthy.dev/proven": "3" }, 4)).toBe("unknown");
    expect(proofOf({ "seaworthy.dev/proven": "3", "seaworthy.dev/unproven": "4" }, 4)).toBe(
      "unproven",
    );
    expect(proofOf(undefined, 1)).toBe("unknown");
    expect(proofLabels(2, "proven")).toEqual({
      "seaworthy.dev/proven": "2",
      "seaworthy.dev/unproven": null,
    });
  });
});
