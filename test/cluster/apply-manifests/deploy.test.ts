import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { manifest, Quay, quoted } from "./quay.ts";

jest.setTimeout(180_000);

let quay: Quay;
beforeAll(async () => {
  quay = await Quay.open("apply-deploy");
});
afterAll(async () => quay?.[Symbol.asyncDispose]());

describe("a set", () => {
  it("is applied, kept as a revision, changed, and put back when its new version fails", async () => {
    const name = "shop";
    await quay.runner.write("shop/web.yaml", quay.web("web") + quay.config("words", "one"));
    const first = await quay.apply({ name, manifests: "shop", version: "v1" });
    expect(first.outputs).toMatchObject({
      verdict: "passed",
      revision: "1",
      "running-revision": "1",
      applied: "2",
      changed: "2",
      "rolled-back": "false",
    });

    const again = await quay.apply({ name, manifests: "shop", version: "v1" });
    expect(again.outputs).toMatchObject({ verdict: "passed", revision: "1", changed: "0" });
    expect(await quay.history(name)).toEqual(["1 good"]);

    const image = quay.box.endpoints.busyboxImage.replace(/:[^:/]+$/, ":no-such-tag");
    const broken = quay.web("web", { image }) + quay.config("words", "two");
    await quay.runner.write("shop/web.yaml", broken + quay.config("new", "thing"));
    const plan = await quay.apply({ name, manifests: "shop", mode: "plan" });
    expect(plan.outputs.verdict).toBe("passed");
    expect(JSON.parse(plan.outputs.changes ?? "")).toMatchObject({ added: 1, changed: 2 });
    expect((await quay.configMap("words"))?.data).toEqual({ text: "one" });
    expect(await quay.history(name)).toEqual(["1 good"]);

    const failed = await quay.apply({ name, manifests: "shop", version: "v2" });
    expect(failed.outputs).toMatchObject({
      verdict: "failed",
      revision: "2",
      "previous-revision": "1",
      "running-revision": "1",
      "rolled-back": "true",
    });
    expect(failed.outputs.cause).toMatch(/image .*:no-such-tag not found/);
    expect(failed.stdout).toMatch(/Went back to revision 1, which is healthy/);
    expect((await quay.configMap("words"))?.data).toEqual({ text: "one" });
    expect(await quay.configMap("new")).toBeUndefined();
    const web = await quay.deployment("web");
    expect(web?.spec?.template?.spec?.containers?.[0]?.image).toBe(quay.box.endpoints.busyboxImage);
    expect(await quay.history(name)).toEqual(["1 good", "2 failed"]);
    expect(await quay.leases()).toEqual([]);
    quoted("", failed, { [quay.namespace]: "shop" });
  });

  it("is an ApplySet as kubectl's own specification has it", async () => {
    await quay.runner.write("spec.yaml", quay.config("member", "one"));
    await quay.apply({ name: "spec", manifests: "spec.yaml" });
    const parent = await quay.find("v1", "Secret", "applyset-spec");
    const member = await quay.configMap("member");
    const id = parent?.metadata.labels?.["applyset.kubernetes.io/id"];
    expect(id).toMatch(/^applyset-[\w-]{43}-v1$/);
    expect(member?.metadata.labels?.["applyset.kubernetes.io/part-of"]).toBe(id);
    expect(parent?.metadata.annotations).toMatchObject({
      "applyset.kubernetes.io/contains-group-kinds": "ConfigMap",
      "applyset.kubernetes.io/additional-namespaces": "",
      "applyset.kubernetes.io/tooling": "seaworthy/v1",
    });
  });

  it("is removed when its first version fails, but for what was there before", async () => {
    await quay.kubectl(
      "create",
      "configmap",
      "elder",
      "--from-literal=text=mine",
      "--from-literal=keep=me",
    );
    await quay.kubectl(
      "apply",
      "-f",
      await quay.runner.write("k.yaml", quay.config("applied", "before")),
    );
    const image = quay.box.endpoints.busyboxImage.replace(/:[^:/]+$/, ":no-such-tag");
    const claim = manifest({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "disk", annotations: { "seaworthy.dev/await": "false" } },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
    });
    const content = [
      quay.web("first", { image }),
      quay.config("fresh", "one"),
      quay.config("elder", "ours"),
      quay.config("applied", "ours"),
      claim,
    ].join("");
    const failed = await quay.apply({ name: "first", content });
    expect(failed.outputs).toMatchObject({
      verdict: "failed",
      "running-revision": "",
      "rolled-back": "true",
    });
    expect(await quay.deployment("first")).toBeUndefined();
    expect(await quay.configMap("fresh")).toBeUndefined();
    const elder = await quay.configMap("elder");
    expect(elder?.data).toEqual({ text: "mine", keep: "me" });
    expect(elder?.metadata.labels).toBeUndefined();
    const applied = await quay.configMap("applied");
    expect(applied?.data).toEqual({ text: "before" });
    expect(applied?.metadata.annotations).toHaveProperty([
      "kubectl.kubernetes.io/last-applied-configuration",
    ]);
    expect(failed.stdout).toMatch(/persistentvolumeclaim\/disk is left as it is/);
    expect(await quay.history("first")).toEqual(["1 failed"]);
  });

  it("is kept as it failed when that is asked for, and put back by the next failure", async () => {
    const name = "kept";
    const missing = quay.box.endpoints.busyboxImage.replace(/:[^:/]+$/, ":no-such-tag");
    await quay.apply({ name, content: quay.config("kept", "one") });
    const broken =
      quay.config("kept", "two") +
      quay.config("stray", "two") +
      quay.web("kept", { image: missing });
    const kept = await quay.apply({ name, content: broken, "on-failure": "keep" });
    expect(kept.outputs).toMatchObject({
      verdict: "failed",
      "running-revision": "2",
      "rolled-back": "false",
    });
    expect((await quay.configMap("kept"))?.data).toEqual({ text: "two" });
    const next = await quay.apply({
      name,
      content: quay.config("kept", "three") + quay.web("kept", { image: missing }),
    });
    expect(next.outputs).toMatchObject({ verdict: "failed", "running-revision": "1" });
    expect((await quay.configMap("kept"))?.data).toEqual({ text: "one" });
    expect(await quay.configMap("stray")).toBeUndefined();
    expect(await quay.deployment("kept")).toBeUndefined();
    expect(await quay.history(name)).toEqual(["1 good", "2 failed", "3 failed"]);
  });
});
