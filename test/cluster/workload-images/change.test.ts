import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { UserError } from "../../../shared/failure/index.ts";
import type { KubernetesObject } from "../../../shared/kubernetes/index.ts";
import {
  applyChange,
  planWorkloads,
  retarget,
  revertChange,
} from "../../../shared/workload-images/index.ts";
import { deployment, type Sandbox, sandbox } from "../kubernetes/sandbox.ts";

const DIGEST = `sha256:${"0".repeat(64)}`;
let box: Sandbox;

beforeAll(async () => {
  box = await sandbox("set-image");
});
afterAll(async () => {
  await box[Symbol.asyncDispose]();
});

/** A Deployment that nothing runs, so that only its own fields are looked at. */
async function make(name: string): Promise<void> {
  await box.cluster.create(deployment(box, name, { replicas: 0 }));
}

async function planFor(name: string) {
  return planWorkloads(box.cluster, box.namespace, {
    images: { [name]: { repository: `ghcr.io/me/${name}`, digest: DIGEST } },
    lines: [],
    config: [],
    by: "run 1",
  });
}

async function only(name: string) {
  const [change] = (await planFor(name)).changes;
  if (change === undefined) throw new Error("nothing to change");
  return change;
}

type Live = KubernetesObject & {
  readonly spec: {
    readonly replicas: number;
    readonly template: {
      readonly metadata: { readonly annotations?: Record<string, string> };
      readonly spec: {
        readonly containers: readonly { readonly image: string; readonly command: unknown }[];
      };
    };
  };
};

async function live(name: string): Promise<Live> {
  const { namespace } = box;
  return box.cluster.get<Live>({ apiVersion: "apps/v1", kind: "Deployment", namespace, name });
}

async function imageOf(name: string): Promise<string | undefined> {
  return (await live(name)).spec.template.spec.containers[0]?.image;
}

describe("a change of a live workload", () => {
  it("sets the image and the cause, and nothing else; a dry run nothing at all", async () => {
    await make("one");
    const before = await live("one");
    const change = await only("one");
    await applyChange(box.cluster, change, { dryRun: true });
    expect((await live("one")).metadata.generation).toBe(before.metadata.generation);

    await applyChange(box.cluster, change);
    const after = await live("one");
    expect(after.spec.template.spec.containers).toEqual([
      { ...before.spec.template.spec.containers[0], image: `ghcr.io/me/one@${DIGEST}` },
    ]);
    expect(after.metadata.annotations?.["kubernetes.io/change-cause"]).toMatch(
      /^one sha256:0+: run 1$/,
    );
    expect((await planFor("one")).unchanged).toEqual(["deployment/one"]);
    const again = await applyChange(box.cluster, change);
    expect(again.metadata.generation).toBe(after.metadata.generation);

    expect(await revertChange(box.cluster, change)).toEqual({ outcome: "reverted" });
    const back = await live("one");
    expect(back.spec).toEqual(before.spec);
    expect(back.metadata.annotations?.["kubernetes.io/change-cause"]).toBeUndefined();
    expect(await revertChange(box.cluster, change)).toEqual({ outcome: "untouched" });
  });

  it("does not mind what moves beside it", async () => {
    await make("scaled");
    const change = await only("scaled");
    const { namespace } = box;
    const ref = { apiVersion: "apps/v1", kind: "Deployment", namespace, name: "scaled" };
    const busy = Array.from({ length: 5 }, (_, at) =>
      box.cluster.patch(ref, { metadata: { labels: { at: String(at) } } }),
    );
    await Promise.all([...busy, applyChange(box.cluster, change)]);
    expect(await imageOf("scaled")).toBe(`ghcr.io/me/scaled@${DIGEST}`);
  });

  it("is refused where somebody else set another image, and is not taken back over theirs", async () => {
    await make("theirs");
    const change = await only("theirs");
    const set = (image: string) =>
      box.cluster.patch(
        change.ref,
        { spec: { template: { spec: { containers: [{ name: "main", image }] } } } },
        "strategic",
        { fieldManager: "somebody" },
      );
    await set("busybox:theirs");
    const refused = await applyChange(box.cluster, change).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(UserError);
    expect((refused as UserError).cause).toMatch(
      /has main at busybox:theirs and not at .*; set by somebody/,
    );
    expect(await imageOf("theirs")).toBe("busybox:theirs");
    expect(await revertChange(box.cluster, change)).toMatchObject({ outcome: "left" });
    expect(await imageOf("theirs")).toBe("busybox:theirs");
  });

  it("is refused where the workload was made anew", async () => {
    await make("anew");
    const change = await only("anew");
    await box.cluster.delete(change.ref, { propagation: "Background" });
    await make("anew");
    await expect(applyChange(box.cluster, change)).rejects.toThrow(/went away/);
  });

  it("that was recorded can be had again", async () => {
    await make("again");
    const change = await only("again");
    await applyChange(box.cluster, change);
    const [back] = (await retarget(box.cluster, [{ ...change, after: change.before }], "rollback"))
      .changes;
    if (back === undefined) throw new Error("nothing to go back to");
    await applyChange(box.cluster, back);
    expect(await imageOf("again")).toBe(box.endpoints.busyboxImage);
    expect((await live("again")).metadata.annotations?.["kubernetes.io/change-cause"]).toBe(
      "rollback",
    );
    const missing = { ...change, ref: { ...change.ref, name: "gone" } };
    await expect(retarget(box.cluster, [missing], "x")).rejects.toThrow(
      /deployment\/gone does not exist any more/,
    );
  });

  it("is not planned in a namespace that does not exist", async () => {
    const images = { web: { repository: "r/web", digest: DIGEST } };
    const wishes = { images, lines: [], config: [], by: "" };
    await expect(planWorkloads(box.cluster, "no-such-place", wishes)).rejects.toThrow(
      /namespace no-such-place does not exist/,
    );
  });
});
