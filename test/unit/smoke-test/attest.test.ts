import { describe, expect, it } from "@jest/globals";
import { judgeImages } from "../../../actions/smoke-test/attest.ts";
import { wayTo } from "../../../actions/smoke-test/ingress-target.ts";
import { readyPods, selectorText } from "../../../actions/smoke-test/workload-target.ts";
import { imagesOf } from "../../../shared/workload/index.ts";

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const [OLD, NEW] = [digest("a"), digest("b")];
const MAP = { web: { repository: "r.test/shop/web", digest: NEW } };

function pod(image: string, imageID = "") {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p" },
    spec: { containers: [{ name: "app", image }] },
    status: { containerStatuses: [{ name: "app", imageID }] },
  };
}

describe("what an answering pod runs", () => {
  it.each([
    ["the digest it was started by", `r.test/shop/web@${NEW}`, "", "proved"],
    ["what its tag meant", "r.test/shop/web:1", `r.test/shop/web@${NEW}`, "proved"],
    ["another digest", `r.test/shop/web:1@${OLD}`, "", "wrong"],
    [
      "another one by tag",
      "r.test/shop/web:1",
      `docker-pullable://r.test/shop/web@${OLD}`,
      "wrong",
    ],
    ["what nobody knows", "r.test/shop/web:1", digest("c"), "wrong"],
    ["another image", `r.test/shop/db@${OLD}`, "", "not-checked"],
    ["an image of another registry", `mirror.test/shop/web@${NEW}`, "", "not-checked"],
  ])("is %s", (_, image, imageID, verdict) => {
    const images = imagesOf(pod(image, imageID));
    expect(judgeImages(images, { images: MAP, digest: undefined }).verdict).toBe(verdict);
  });

  it("is told with what was expected", () => {
    const images = imagesOf(pod(`r.test/shop/web@${OLD}`));
    expect(judgeImages(images, { images: MAP, digest: undefined }).reasons).toEqual([
      `container app runs ${OLD}, expected ${NEW}`,
    ]);
  });

  it("must be the digest that a check names, in any container", () => {
    const [app] = imagesOf(pod(`r.test/a@${OLD}`));
    const [side] = imagesOf(pod(`r.test/b@${NEW}`));
    if (app === undefined || side === undefined) throw new Error("no images");
    const expected = { images: undefined, digest: NEW };
    expect(judgeImages([app, side], expected).verdict).toBe("proved");
    expect(judgeImages([app], expected)).toEqual({
      verdict: "wrong",
      reasons: [`container app runs ${OLD}, expected ${NEW}`],
    });
    expect(judgeImages([app, app], expected).reasons).toEqual([
      `containers run ${OLD}, ${OLD}, expected ${NEW}`,
    ]);
  });

  it("may be one of several builds of one repository", () => {
    const images = { ...MAP, worker: { repository: "r.test/shop/web", digest: OLD } };
    const runs = imagesOf(pod(`r.test/shop/web@${OLD}`));
    expect(judgeImages(runs, { images, digest: undefined }).verdict).toBe("proved");
  });
});

describe("the way to an Ingress", () => {
  const ingress = (
    hosts: (string | undefined)[],
    tls: string[] = [],
    ip: string | undefined = "1.2.3.4",
  ) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: "web", namespace: "shop" },
    spec: {
      rules: hosts.map((host) => (host === undefined ? {} : { host })),
      ...(tls.length > 0 ? { tls: [{ hosts: tls }] } : {}),
    },
    status: { loadBalancer: { ingress: [ip === "" ? { hostname: "lb.test" } : { ip }] } },
  });

  it.each<[Parameters<typeof wayTo>, string, number]>([
    [[ingress(["a.test", "b.test"]), undefined], "http://a.test/", 80],
    [[ingress(["a.test", "b.test"]), "b.test"], "http://b.test/", 80],
    [[ingress(["a.test"], ["a.test"]), undefined], "https://a.test/", 443],
    [[ingress(["*.a.test"], ["*.a.test"]), "x.a.test"], "https://x.a.test/", 443],
    [[ingress([undefined]), "any.test"], "http://any.test/", 80],
    [[ingress([undefined]), undefined], "http://1.2.3.4/", 80],
  ])("%#", (given, url, port) => {
    const { base, via } = wayTo(...given);
    expect([base?.href, via]).toEqual([url, { host: "1.2.3.4", port }]);
  });

  it("may lead to a name", () => {
    expect(wayTo(ingress(["a.test"], [], ""), undefined).via?.host).toBe("lb.test");
  });

  it.each<[string | undefined, RegExp]>([
    ["b.test", /its hosts are \*\.a\.test/],
    ["x.y.a.test", /its hosts are/],
    [undefined, /name one host of it/],
  ])("as %s is refused", (host, cause) => {
    expect(() => wayTo(ingress(["*.a.test"]), host)).toThrow(cause);
  });
});

describe("the pods of a workload", () => {
  const made = (name: string, seconds: number, ready = "True", deletionTimestamp?: string) => ({
    ...pod("i"),
    metadata: {
      name,
      creationTimestamp: new Date(seconds * 1_000).toISOString(),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
    status: { conditions: [{ type: "Ready", status: ready }] },
  });

  it("are the ready ones, the newest first, without those that go", () => {
    const pods = [
      made("a", 1),
      made("b", 3),
      made("c", 2),
      made("d", 4, "False"),
      made("e", 5, "True", "x"),
    ];
    expect(readyPods(pods)).toEqual(["b", "c", "a"]);
  });

  it("are found by labels and expressions", () => {
    const matchExpressions = [
      { key: "tier", operator: "In", values: ["web", "api"] },
      { key: "canary", operator: "DoesNotExist" },
      { key: "team", operator: "Exists" },
      { key: "env", operator: "NotIn", values: ["dev"] },
    ];
    const workload = {
      ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" } },
      spec: { selector: { matchLabels: { app: "web" }, matchExpressions } },
    };
    expect(selectorText(workload)).toBe("app=web,tier in (web,api),!canary,team,env notin (dev)");
  });
});
