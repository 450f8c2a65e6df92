import { describe, expect, it } from "@jest/globals";
import { useOf } from "../../../actions/helm-upgrade/image-use.ts";
import { secretsOfValues } from "../../../actions/helm-upgrade/values-secrets.ts";
import type { PlacedImage } from "../../../shared/helm/index.ts";
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
  keepsOldPods: false,
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
