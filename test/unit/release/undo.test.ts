import { describe, expect, it } from "@jest/globals";
import { UserError } from "../../../shared/failure/index.ts";
import { type Revision, standingOf } from "../../../shared/helm/index.ts";
import { withUndo } from "../../../shared/release/index.ts";
import { goodOf } from "../../../shared/release/own.ts";
import { movingText } from "../../../shared/release/pending.ts";
import type { Workload } from "../../../shared/workload/index.ts";
import { expectedImages } from "../../../shared/workload/index.ts";

describe("the revision to go back to", () => {
  const revision = (number: number, status: Revision["status"]): Revision => ({
    revision: number,
    status,
    description: "",
    updated: 0,
    chart: "",
    appVersion: "",
    manifest: "",
    hooks: [],
    serverSide: false,
    proof: "unknown",
  });
  const good = (history: readonly Revision[], noted?: number) =>
    goodOf(standingOf(history), history, noted)?.revision;

  it("is the one that is deployed", () => {
    expect(good([revision(1, "superseded"), revision(2, "deployed")])).toBe(2);
  });

  it("is what a run that died had noted, for it may have deployed what nobody proved", () => {
    expect(good([revision(1, "superseded"), revision(2, "deployed")], 1)).toBe(1);
  });

  it("is a rollback to it that was proven since", () => {
    const rolledBack: Revision = { ...revision(3, "deployed"), proof: "proven" };
    const history = [revision(1, "superseded"), revision(2, "superseded"), rolledBack];
    expect(good(history, 1)).toBe(3);
  });

  it("is none where the run that died had begun a first install", () => {
    expect(good([revision(1, "deployed")], 0)).toBeUndefined();
  });

  it("is none where nothing is installed", () => {
    expect(good([])).toBeUndefined();
  });
});

describe("two failures in one", () => {
  const first = new UserError({ title: "A", cause: "a.", remedy: "ra.", evidence: "ea" });

  it("tells the first and what came of it", () => {
    const both = withUndo(first, "Rolled back.");
    expect([both.cause, both.remedy, both.evidence]).toEqual(["a.", "Rolled back. ra.", "ea"]);
  });

  it("tells both when putting things back failed too", () => {
    const both = withUndo(
      first,
      new UserError({ title: "B", cause: "b.", remedy: "rb.", evidence: "eb" }),
    );
    expect(both.cause).toBe("a.\nThen: B: b.");
    expect(both.remedy).toBe("rb. ra.");
    expect(both.evidence).toBe("ea\n\neb");
  });
});

describe("whether the maker of a pending revision may be waiting", () => {
  const job = (active?: number) => ({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "migrate" },
    status: active === undefined ? {} : { active },
  });
  const deployment = (status: object, generation = 1) => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", generation },
    spec: { replicas: 2 },
    status,
  });
  const ready = { observedGeneration: 1, readyReplicas: 2, updatedReplicas: 2 };

  it.each([
    [job(1), "job/migrate is running"],
    [job(), undefined],
    [deployment(ready), undefined],
    [deployment({ ...ready, readyReplicas: 1 }), "deployment/web has 1 of 2 ready"],
    [deployment(ready, 2), "deployment/web has 2 of 2 ready"],
  ])("%#", (object, text) => {
    expect(movingText(object)).toBe(text);
  });
});

describe("the images to prove of an earlier revision", () => {
  const [one, other] = ["a", "b"].map((letter) => `sha256:${letter.repeat(64)}`);
  const workload = (name: string, ...images: string[]): Workload => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    name,
    namespace: "shop",
    selector: undefined,
    labels: {},
    keepsOldPods: false,
    containers: images.map((image) => ({ name: "main", image, init: false })),
  });

  it("are those that it pins by digest", () => {
    const workloads = [workload("web", `r/web:v1@${one}`), workload("db", "r/db:7")];
    expect(expectedImages(workloads)).toEqual([
      { service: "web", repository: "r/web", digest: one },
    ]);
  });

  it("are none of which two digests run", () => {
    const workloads = [workload("web", `r/web@${one}`), workload("old", `r/web@${other}`)];
    expect(expectedImages(workloads)).toEqual([]);
  });
});
