import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { UserError } from "../../../shared/failure/index.ts";
import type { KubernetesObject } from "../../../shared/kubernetes/index.ts";
import { liveWorkload } from "../../../shared/workload-images/live-workload.ts";
import { planFrom } from "../../../shared/workload-images/plan.ts";
import { parseWorkloadLine } from "../../../shared/workload-images/workload-line.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
type Containers = Readonly<Record<string, string>>;

function workload(
  title: string,
  containers: Containers,
  more: { spec?: object; metadata?: object; init?: Containers } = {},
): KubernetesObject {
  const [kind = "", name = ""] = title.split("/");
  const list = (named: Containers = {}) =>
    Object.entries(named).map(([key, image]) => ({ name: key, image }));
  const template = { spec: { containers: list(containers), initContainers: list(more.init) } };
  return {
    apiVersion: kind === "CronJob" ? "batch/v1" : "apps/v1",
    kind,
    metadata: { name, namespace: "shop", uid: `uid-${title}`, ...more.metadata },
    spec: {
      ...(kind === "CronJob" ? { jobTemplate: { spec: { template } } } : { template }),
      ...more.spec,
    },
  } as KubernetesObject;
}

function map(...services: readonly string[]) {
  return Object.fromEntries(
    services.map((text) => {
      const [service = "", repository = `ghcr.io/me/${service}`] = text.split("=");
      return [service, { repository, digest: DIGEST }];
    }),
  );
}

function plan(
  live: readonly KubernetesObject[],
  images: ReturnType<typeof map>,
  lines: readonly string[] = [],
) {
  const parsed = lines.map((line) => parseWorkloadLine(line, "shop"));
  return planFrom(live.map(liveWorkload), parsed, { images, config: [], by: "run 1" }, "shop");
}

/** `deployment/web:app=ghcr.io/me/web` for every image that changes. */
function placed(...given: Parameters<typeof plan>): readonly string[] {
  return plan(...given).changes.flatMap(({ ref, after }) =>
    Object.entries(after.images).map(
      ([name, image]) =>
        `${ref.kind.toLowerCase()}/${ref.name}:${name}=${image.replace(`@${DIGEST}`, "")}`,
    ),
  );
}

function causeOf(...given: Parameters<typeof plan>): string {
  try {
    plan(...given);
  } catch (error) {
    if (error instanceof UserError) return error.cause;
  }
  throw new Error("no UserError");
}

const STUDY = [
  workload("Deployment/core-service", { "core-service": "ensurestudy/core-service:latest" }),
  workload("Deployment/ai-service", { "ai-service": "ensurestudy/ai-service:latest" }),
  workload("Deployment/frontend", { frontend: "ensurestudy/frontend:latest" }),
];

describe("an image goes", () => {
  it.each<[string, Parameters<typeof plan>, readonly string[]]>([
    [
      "to the containers of its name",
      [STUDY, map("core-service", "frontend")],
      [
        "deployment/core-service:core-service=ghcr.io/me/core-service",
        "deployment/frontend:frontend=ghcr.io/me/frontend",
      ],
    ],
    [
      "to what runs its repository",
      [
        [
          workload("Deployment/web", { app: "ghcr.io/me/api:1" }),
          workload("CronJob/tidy", { run: "ghcr.io/me/api@sha256:1" }),
        ],
        map("api"),
      ],
      ["deployment/web:app=ghcr.io/me/api", "cronjob/tidy:run=ghcr.io/me/api"],
    ],
    [
      "to init containers that run it",
      [
        [
          workload(
            "StatefulSet/web",
            { web: "ghcr.io/me/web:1" },
            { init: { migrate: "ghcr.io/me/web:1" } },
          ),
        ],
        map("web"),
      ],
      ["statefulset/web:migrate=ghcr.io/me/web", "statefulset/web:web=ghcr.io/me/web"],
    ],
    [
      "to the only container of a workload of its name",
      [[workload("DaemonSet/agent", { main: "nginx" })], map("agent")],
      ["daemonset/agent:main=ghcr.io/me/agent"],
    ],
    [
      "past a sidecar",
      [[workload("Deployment/web", { web: "old/web:1", proxy: "envoy:1" })], map("web")],
      ["deployment/web:web=ghcr.io/me/web"],
    ],
    [
      "where a line says",
      [
        [workload("Deployment/a", { app: "x" }), workload("Deployment/b", { app: "x" })],
        map("web"),
        ["deploy/b:app=web"],
      ],
      ["deployment/b:app=ghcr.io/me/web"],
    ],
    [
      "where a line says, the container being plain",
      [[workload("Deployment/a", { app: "x" })], map("web"), ["deployment/a=web"]],
      ["deployment/a:app=ghcr.io/me/web"],
    ],
    [
      "to several workloads by several lines",
      [
        [workload("Deployment/a", { app: "x" }), workload("StatefulSet/b", { app: "y" })],
        map("web"),
        ["deployment/a=web", "sts/b:app=web"],
      ],
      ["deployment/a:app=ghcr.io/me/web", "statefulset/b:app=ghcr.io/me/web"],
    ],
    [
      "both to the new name and the old one of its repository",
      [
        [
          workload("Deployment/core", { core: "old/core:1" }),
          workload("Deployment/worker", { run: "ghcr.io/me/core:1" }),
        ],
        map("core"),
      ],
      ["deployment/core:core=ghcr.io/me/core", "deployment/worker:run=ghcr.io/me/core"],
    ],
    [
      "to a name on Docker Hub, however it is spelt",
      [[workload("Deployment/x", { y: "docker.io/library/web:1" })], map("s=web")],
      ["deployment/x:y=web"],
    ],
    [
      "to containers of one name that run one image",
      [
        [
          workload("Deployment/blue", { web: "old:1" }),
          workload("Deployment/green", { web: "old:2" }),
        ],
        map("web"),
      ],
      ["deployment/blue:web=ghcr.io/me/web", "deployment/green:web=ghcr.io/me/web"],
    ],
  ])("%s", (_, given, expected) => {
    expect(placed(...given)).toEqual(expected);
  });

  it.each<[string, Parameters<typeof plan>, RegExp]>([
    [
      "fits nowhere",
      [STUDY, map("core-servise")],
      /core-servise fits nowhere.*did you mean container core-service of deployment\/core-service\? Then write `deployment\/core-service:core-service=core-servise`/,
    ],
    [
      "fits nowhere at all",
      [STUDY, map("zzz")],
      /there is container core-service of deployment\/core-service, container ai-service/,
    ],
    [
      "could be meant for two",
      [
        [workload("Deployment/a", { web: "x/one" }), workload("Deployment/b", { web: "x/two" })],
        map("web"),
      ],
      /web may be meant for container web of deployment\/a \(runs x\/one\) or container web of deployment\/b/,
    ],
    [
      "runs in one and is named by a stranger",
      [
        [
          workload("Deployment/a", { app: "ghcr.io/me/web" }),
          workload("Deployment/b", { web: "nginx" }),
        ],
        map("web"),
      ],
      /web may be meant for/,
    ],
    [
      "is that of a workload of several containers",
      [[workload("Deployment/web", { one: "x", two: "y" })], map("web")],
      /deployment\/web has the containers one, two, and none is called web/,
    ],
    [
      "has a rival",
      [[workload("Deployment/worker", { core: "old/x" })], map("core", "worker=ghcr.io/me/x")],
      /core and worker both fit container core of deployment\/worker/,
    ],
    [
      "has a line for no service",
      [STUDY, map("frontend"), ["deployment/frontend=frontent"]],
      /names the service frontent, which is not in images; did you mean frontend/,
    ],
    [
      "has a line for no workload",
      [STUDY, map("frontend"), ["deployment/frontent=frontend"]],
      /deployment\/frontent, as workloads has it for frontend, does not exist; did you mean deployment\/frontend/,
    ],
    [
      "has a line for no container",
      [STUDY, map("frontend"), ["deployment/frontend:frontent=frontend"]],
      /has no container frontent; did you mean frontend/,
    ],
    [
      "has a line that leaves the container open",
      [[workload("Deployment/a", { one: "x", two: "y" })], map("web"), ["deployment/a=web"]],
      /say which one is for web, as `deployment\/a:one=web`/,
    ],
  ])("nowhere, and says so, when it %s", (_, given, expected) => {
    expect(causeOf(...given)).toMatch(expected);
  });

  it.each([["deployment/web"], ["web=web"], ["pod/web=web"], ["deployment/web:a:b=web"], ["=web"]])(
    "by no line like %s",
    (line) => {
      expect(() => parseWorkloadLine(line, "shop")).toThrow(UserError);
    },
  );
});

describe("a plan for live workloads", () => {
  it("leaves alone what runs the image already", () => {
    const live = [workload("Deployment/web", { web: `ghcr.io/me/web:v1@${DIGEST}` })];
    expect(plan(live, map("web"))).toMatchObject({ changes: [], unchanged: ["deployment/web"] });
  });

  it("holds all that is needed to go back", () => {
    const metadata = { annotations: { "kubernetes.io/change-cause": "before" } };
    const [change] = plan(
      [workload("Deployment/web", { web: "old:1" }, { metadata })],
      map("web"),
    ).changes;
    expect(change).toEqual({
      ref: { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web" },
      uid: "uid-Deployment/web",
      before: { images: { web: "old:1" }, changeCause: "before" },
      after: {
        images: { web: `ghcr.io/me/web@${DIGEST}` },
        changeCause: "web sha256:aaaaaaaaaaaa: run 1",
      },
    });
    expect(JSON.parse(JSON.stringify(change))).toEqual(change);
  });

  it("refuses a paused Deployment, unless nothing of it changes", () => {
    const paused = { spec: { paused: true } };
    expect(causeOf([workload("Deployment/web", { web: "old" }, paused)], map("web"))).toMatch(
      /deployment\/web is paused/,
    );
    const same = workload("Deployment/web", { web: `ghcr.io/me/web@${DIGEST}` }, paused);
    expect(plan([same], map("web")).changes).toEqual([]);
  });

  it.each<[string, KubernetesObject, RegExp]>([
    [
      "OnDelete",
      workload("StatefulSet/web", { web: "o" }, { spec: { updateStrategy: { type: "OnDelete" } } }),
      /OnDelete/,
    ],
    [
      "a partition",
      workload(
        "StatefulSet/web",
        { web: "o" },
        { spec: { updateStrategy: { rollingUpdate: { partition: 2 } } } },
      ),
      /partition 2/,
    ],
    [
      "a CronJob",
      workload("CronJob/web", { web: "o" }, { spec: { suspend: true } }),
      /next run, and is suspended/,
    ],
    [
      "no replicas",
      workload("Deployment/web", { web: "o" }, { spec: { replicas: 0 } }),
      /scaled to 0/,
    ],
  ])("says what keeps pods as they are: %s", (_, live, expected) => {
    expect(plan([live], map("web")).notes.join("\n")).toMatch(expected);
  });

  it.each<[string, object, RegExp]>([
    ["Helm", { annotations: { "meta.helm.sh/release-name": "shop" } }, /Helm release shop/],
    [
      "Argo CD",
      { annotations: { "argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/web" } },
      /Argo CD keeps it \(application shop\)/,
    ],
    ["Argo CD by label", { labels: { "argocd.argoproj.io/instance": "shop" } }, /Argo CD/],
    ["Flux", { labels: { "kustomize.toolkit.fluxcd.io/name": "apps" } }, /Flux keeps it \(apps\)/],
    [
      "an operator",
      {
        ownerReferences: [
          { apiVersion: "x/v1", kind: "App", name: "a", uid: "u", controller: true },
        ],
      },
      /App a makes it/,
    ],
  ])("warns of what may put it back: %s", (_, metadata, expected) => {
    expect(
      plan([workload("Deployment/web", { web: "o" }, { metadata })], map("web")).warnings.join(),
    ).toMatch(expected);
  });

  it("tells of what runs the same image and is not touched", () => {
    const live = [
      workload("Deployment/core", { core: "old/core:1" }),
      workload("Deployment/celery", { worker: "old/core:1" }),
    ];
    const { changes, notes } = plan(live, map("core=ghcr.io/me/backend"));
    expect(changes).toHaveLength(1);
    expect(notes.join()).toMatch(
      /container worker of deployment\/celery runs old\/core:1, as core did, and is not touched/,
    );
  });

  it("never puts two images in one container, nor one in a container that nothing names", () => {
    const name = fc.constantFrom("a", "b", "c", "d");
    const image = name.map((text) => `r/${text}:1`);
    const live = fc.uniqueArray(
      fc.tuple(name, fc.dictionary(name, image, { minKeys: 1, maxKeys: 3 })),
      { selector: ([key]) => key, maxLength: 4 },
    );
    fc.assert(
      fc.property(
        live,
        fc.uniqueArray(name, { minLength: 1, maxLength: 3 }),
        (workloads, services) => {
          const objects = workloads.map(([key, containers]) =>
            workload(`Deployment/${key}`, containers),
          );
          let made: ReturnType<typeof plan>;
          try {
            made = plan(objects, map(...services.map((service) => `${service}=r/${service}`)));
          } catch (error) {
            if (error instanceof UserError) return;
            throw error;
          }
          const covered = new Set<string>();
          for (const { ref, before, after } of made.changes) {
            for (const [container, to] of Object.entries(after.images)) {
              const service = to.replace(/^r\/|@.*$/g, "");
              covered.add(service);
              expect(services).toContain(service);
              const was = before.images[container] ?? "";
              expect([container, ref.name, was.replace(/^r\/|:1$/g, "")]).toContain(service);
            }
          }
          for (const service of services) expect([...covered]).toContain(service);
        },
      ),
      { numRuns: 500 },
    );
  });
});
