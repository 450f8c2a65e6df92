import { describe, expect, it } from "@jest/globals";
import { goodOf } from "../../../actions/helm-upgrade/ownership.ts";
import { useOf } from "../../../actions/helm-upgrade/preflight.ts";
import { withUndo } from "../../../actions/helm-upgrade/undo.ts";
import { secretsOfValues } from "../../../actions/helm-upgrade/values-secrets.ts";
import { targetsOf } from "../../../actions/helm-upgrade/watch-rollout.ts";
import { UserError } from "../../../shared/failure/index.ts";
import {
  objectsOf,
  type PlacedImage,
  type Revision,
  standingOf,
} from "../../../shared/helm/index.ts";
import { imageMap } from "../../../shared/image-map/index.ts";
import { repositoryOf } from "../../../shared/workload/image-name.ts";
import type { Workload } from "../../../shared/workload/index.ts";
import { proofOf, type RunningPod } from "../../../shared/workload/running-images.ts";

const digest = `sha256:${"a".repeat(64)}`;
const other = `sha256:${"b".repeat(64)}`;
const image: PlacedImage = {
  service: "web",
  path: "image",
  repository: "r:5000/web",
  tag: "v1",
  digest,
};

const workload = (reference: string, more: Partial<Workload> = {}): Workload => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  name: "web",
  namespace: "shop",
  selector: { app: "web" },
  labels: { app: "web" },
  containers: [{ name: "web", image: reference, init: false }],
  ...more,
});

const pod = (reference: string, imageID?: string): RunningPod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web-1" },
  spec: { containers: [{ name: "web", image: reference }] },
  status: {
    phase: "Running",
    containerStatuses: [{ name: "web", ...(imageID === undefined ? {} : { imageID }) }],
  },
});

describe("whether a rendered chart uses an image", () => {
  it.each([
    [`r:5000/web@${digest}`, "digest"],
    [`r:5000/web:v1@${digest}`, "digest"],
    [`mirror/web@${digest}`, "digest"],
    ["r:5000/web:v1", "tag"],
    ["r:5000/web", "tag"],
    [`r:5000/web@${other}`, "tag"],
    ["r:5000/web-2:v1", "none"],
    ["busybox", "none"],
  ])("%s: %s", (reference, use) => {
    expect(useOf(image, [workload(reference)])).toBe(use);
  });

  it.each([
    ["busybox", "busybox"],
    ["r:5000/a/b", "r:5000/a/b"],
    ["r:5000/a/b:v1@sha256:0", "r:5000/a/b"],
  ])("%s is of the repository %s", (reference, repository) => {
    expect(repositoryOf(reference)).toBe(repository);
  });
});

describe("the proof of an image", () => {
  const proof = (reference: string, pods: readonly RunningPod[] | undefined, more = {}) =>
    proofOf(image, [{ workload: workload(reference, more), pods }]).verdict;

  it.each([
    ["started by digest", `r:5000/web@${digest}`, [pod(`r:5000/web@${digest}`)], "proved"],
    [
      "started by tag, which meant it",
      "r:5000/web:v1",
      [pod("r:5000/web:v1", `r:5000/web@${digest}`)],
      "proved",
    ],
    [
      "started by tag, which meant another",
      "r:5000/web:v1",
      [pod("r:5000/web:v1", `r:5000/web@${other}`)],
      "wrong",
    ],
    ["changed on its way in", `r:5000/web@${digest}`, [pod(`r:5000/web@${other}`)], "wrong"],
    [
      "one of two runs another",
      `r:5000/web@${digest}`,
      [pod(`r:5000/web@${digest}`), pod(`r:5000/web@${other}`)],
      "wrong",
    ],
    [
      "a node that tells no digest",
      "r:5000/web:v1",
      [pod("r:5000/web:v1", "sha256:0")],
      "not-checked",
    ],
    ["no pods", `r:5000/web@${digest}`, [], "not-checked"],
    ["pods that nobody can tell", `r:5000/web@${digest}`, undefined, "not-checked"],
    ["another workload's image", "busybox", [pod("busybox")], "not-checked"],
  ])("%s", (_, reference, pods, verdict) => {
    expect(proof(reference, pods)).toBe(verdict);
  });

  it("does not look for an init container among those that run", () => {
    const containers = [{ name: "web", image: `r:5000/web@${digest}`, init: true }];
    expect(proof("", [pod("busybox")], { containers })).toBe("not-checked");
  });
});

describe("the revision to go back to", () => {
  const revision = (number: number, status: Revision["status"]): Revision => ({
    revision: number,
    status,
    description: "",
    updated: 0,
    chart: "",
    appVersion: "",
    manifest: "",
  });
  const good = (history: readonly Revision[], noted?: number) =>
    goodOf(standingOf(history), history, noted)?.revision;

  it("is the one that is deployed", () => {
    expect(good([revision(1, "superseded"), revision(2, "deployed")])).toBe(2);
  });

  it("is what a run that died had noted, for it may have deployed what nobody proved", () => {
    expect(good([revision(1, "superseded"), revision(2, "deployed")], 1)).toBe(1);
  });

  it("is none where the run that died had begun a first install", () => {
    expect(good([revision(1, "deployed")], 0)).toBeUndefined();
  });

  it("is none where nothing is installed", () => {
    expect(good([])).toBeUndefined();
  });
});

describe("inputs", () => {
  const read = (value: unknown) => {
    const result = imageMap.safeParse(value);
    return result.success ? result.data : result.error.issues.map(({ path }) => path.join("."));
  };

  it("take a digest map, with more in it than is needed", () => {
    const web = { repository: "r/web", tag: "v1", digest, platforms: ["linux/amd64"] };
    expect(read({ web })).toEqual({ web: { repository: "r/web", tag: "v1", digest } });
    expect(read({ web: { repository: "r/web", tag: "", digest } })).toEqual({
      web: { repository: "r/web", digest },
    });
  });

  it.each([
    [[], [""]],
    ["text", [""]],
    [{ web: "r/web" }, ["web"]],
    [{ web: { repository: "r/web", digest: "sha256:12" } }, ["web.digest"]],
    [{ web: { repository: "r/web x", tag: "a b", digest } }, ["web.repository", "web.tag"]],
  ])("refuse %j as a digest map", (value, paths) => {
    expect(read(value)).toEqual(paths);
  });

  it("hide what values call a secret, and no more", () => {
    const values =
      "db: {password: hunter22, host: db, existingSecret: {name: x}}\ntokens: [a]\napiToken: t0ken\nsecretName: s\n";
    expect(secretsOfValues(values)).toEqual(["hunter22", "t0ken"]);
    expect(secretsOfValues("a: [")).toEqual([]);
  });
});

describe("what is waited for", () => {
  it("are workloads, and Services that get an address", () => {
    const objects = objectsOf(`
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}}
---
{apiVersion: v1, kind: Service, metadata: {name: web}}
---
{apiVersion: v1, kind: Service, metadata: {name: edge, namespace: other}, spec: {type: LoadBalancer}}
---
{apiVersion: batch/v1, kind: CronJob, metadata: {name: clean}}
`);
    expect(targetsOf(objects, "shop").map(({ namespace, name }) => `${namespace}/${name}`)).toEqual(
      ["shop/web", "other/edge"],
    );
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
