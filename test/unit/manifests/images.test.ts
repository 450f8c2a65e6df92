import { describe, expect, it } from "@jest/globals";
import type { KubernetesObject } from "../../../shared/kubernetes/index.ts";
import { pinned, setImages } from "../../../shared/manifests/index.ts";

const digest = `sha256:${"a".repeat(64)}`;
const web = { service: "web", repository: "registry.example:5000/shop/web", tag: "v2", digest };
const PINNED = `registry.example:5000/shop/web:v2@${digest}`;

const object = (kind: string, spec: object): KubernetesObject =>
  ({ apiVersion: "apps/v1", kind, metadata: { name: "a" }, spec }) as KubernetesObject;
const pod = (...images: readonly string[]) => ({
  containers: images.map((image, index) => ({ name: `c${index}`, image })),
});
const sourced = (one: KubernetesObject) => [{ object: one, origin: "a.yaml" }];
const imagesOf = (one: unknown): readonly string[] =>
  [...JSON.stringify(one).matchAll(/"image":"([^"]*)"/g)].map(([, image]) => image ?? "");

describe("images", () => {
  it.each([
    ["registry.example:5000/shop/web", PINNED],
    ["registry.example:5000/shop/web:old", PINNED],
    [`registry.example:5000/shop/web@${`sha256:${"b".repeat(64)}`}`, PINNED],
    ["web", PINNED],
    ["web:latest", PINNED],
    ["docker.io/library/web:1", PINNED],
  ])("named %s are pinned", (image, expected) => {
    const [one] = setImages(
      sourced(object("Deployment", { template: { spec: pod(image, "other:1") } })),
      [web],
    );
    expect(imagesOf(one?.object)).toEqual([expected, "other:1"]);
  });

  it.each(["other/web:1", "registry.example/shop/web", "webb", "web-more"])(
    "named %s are left as they are, and the map told as unused",
    (image) => {
      const objects = sourced(object("Deployment", { template: { spec: pod(image) } }));
      expect(() => setImages(objects, [web])).toThrow(
        /no container of the manifests has the image/,
      );
    },
  );

  it("are found in every kind that holds pods, in all their lists", () => {
    const lists = {
      ...pod("web"),
      initContainers: [{ image: "web" }],
      ephemeralContainers: [{ image: "web" }],
    };
    const objects = [
      object("CronJob", { jobTemplate: { spec: { template: { spec: lists } } } }),
      object("Rollout", { template: { spec: lists } }),
      object("Pod", lists),
    ].flatMap(sourced);
    for (const one of setImages(objects, [web]))
      expect(imagesOf(one.object)).toEqual([PINNED, PINNED, PINNED]);
  });

  it("are not looked for where words are only words", () => {
    const config = object("ConfigMap", pod("web"));
    const both = [...sourced(config), ...sourced(object("Pod", pod("web")))];
    expect(imagesOf(setImages(both, [web])[0]?.object)).toEqual(["web"]);
  });

  it("may be told by another name, which then alone counts", () => {
    const objects = sourced(object("Pod", pod("shop/frontend:1", "web")));
    expect(imagesOf(setImages(objects, [web], { web: "shop/frontend" })[0]?.object)).toEqual([
      PINNED,
      "web",
    ]);
    expect(() => setImages(objects, [web], { wbe: "a" })).toThrow(
      /wbe is no service of the digest map; did you mean web\?/,
    );
  });

  it("that fit nowhere are told with the nearest name and all there are", () => {
    const objects = sourced(object("Pod", pod("registry.example:5000/shop/wbe:1", "db:2")));
    expect(() => setImages(objects, [web])).toThrow(
      /The nearest is registry\.example:5000\/shop\/wbe\.[\s\S]*Their images are db, registry\.example:5000\/shop\/wbe\./,
    );
  });

  it("without a tag have none", () => {
    expect(pinned({ service: "a", repository: "r/a", digest })).toBe(`r/a@${digest}`);
  });
});
