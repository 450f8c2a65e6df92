import { describe, expect, it } from "@jest/globals";
import { exposedSecrets } from "../../../actions/build-push/exposed-secrets.ts";
import { servicesInList } from "../../../actions/build-push/from-list.ts";
import { inputs } from "../../../actions/build-push/inputs.ts";
import { plan } from "../../../actions/build-push/plan.ts";
import type { PlannedService } from "../../../actions/build-push/planned.ts";
import type { WrittenService } from "../../../actions/build-push/service-input.ts";
import { wrongCombinations } from "../../../actions/build-push/sources.ts";
import { parseInputs } from "../../../shared/action/index.ts";

const surroundings = {
  /** Rules as plain tags. */
  tagsFor: (rules: readonly string[] = ["abc123"]) => ({
    tags: rules.filter((rule) => !rule.startsWith(".")),
    problems: rules.flatMap((rule) => (rule.startsWith(".") ? [`${rule} is no tag`] : [])),
  }),
};

function optionsOf(given: Record<string, string>) {
  const entries = Object.entries(given);
  const environment = entries.map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
  return parseInputs(inputs, Object.fromEntries(environment));
}

/** The plan for inputs as a workflow gives them. */
function planFor(given: Record<string, string>) {
  const options = optionsOf({ registry: "ghcr.io/me", ...given });
  const { problems, ...planned } = plan(options, servicesInList(options), surroundings);
  const exposed = planned.services.flatMap((service) =>
    exposedSecrets(service, options, (text) => text === "sssh"),
  );
  return { ...planned, problems: [...wrongCombinations(options), ...problems, ...exposed] };
}

const problemsFor = (given: Record<string, string>) =>
  planFor(given).problems.map(({ where, problem }) => `${where}: ${problem}`);

/** What every service has when nothing is said. */
const BARE: Omit<PlannedService, "name" | "repository"> = {
  prefix: "",
  context: ".",
  contexts: {},
  dockerfile: "Dockerfile",
  dockerfileInline: undefined,
  target: undefined,
  buildArgs: {},
  secrets: {},
  ssh: [],
  platforms: [],
  labels: {},
  annotations: {},
  cacheFrom: [],
  cacheTo: [],
  noCache: false,
  noCacheFilter: [],
  pull: false,
  network: undefined,
  extraHosts: {},
  shmSize: undefined,
  ulimits: [],
  entitlements: [],
  provenance: undefined,
  sbom: undefined,
  exporter: {},
  dependsOn: [],
  at: undefined,
  mirrors: [],
  tags: ["abc123"],
};

describe("one service", () => {
  it("needs no more than registry and name", () => {
    expect(planFor({ name: "api" })).toEqual({
      problems: [],
      dependencies: [],
      services: [{ ...BARE, name: "api", repository: { host: "ghcr.io", path: "me/api" } }],
    });
  });
});

describe("several services", () => {
  it("take what they leave out from the inputs of the same name", () => {
    const services = "[{name: a, context: a, build-args: {X: '2'}}, {name: b, tags: [t]}]";
    const given = { services, context: "services", "build-args": "X=1\nY=1" };
    expect(planFor(given).services).toMatchObject([
      { context: "services/a", buildArgs: { X: "2", Y: "1" }, tags: ["abc123"] },
      { context: "services", buildArgs: { X: "1", Y: "1" }, tags: ["t"] },
    ]);
  });

  it("may have more tags than those of the step, each named once", () => {
    const services = "[{name: a, extra-tags: [x, x]}, {name: b, tags: [t, t], extra-tags: t}]";
    expect(planFor({ services }).services.map(({ tags }) => tags)).toEqual([
      ["abc123", "x"],
      ["t"],
    ]);
  });

  it("may name their whole images, and then need no registry", () => {
    const services = "[{name: Api, image: docker.io/me/api}, {name: web, image: localhost:5000/w}]";
    const { services: found, problems } = planFor({ registry: "", services });
    expect(problems).toEqual([]);
    expect(found.map(({ repository }) => repository)).toEqual([
      { host: "docker.io", path: "me/api" },
      { host: "localhost:5000", path: "w" },
    ]);
  });

  it("may go to further repositories under the same tags", () => {
    const services = "[{name: api, mirrors: [docker.io/me/api, quay.io/me/api], extra-tags: x}]";
    const { services: found, problems } = planFor({ services });
    expect(problems).toEqual([]);
    expect(found[0]?.mirrors).toEqual([
      { repository: { host: "docker.io", path: "me/api" }, tags: ["abc123", "x"] },
      { repository: { host: "quay.io", path: "me/api" }, tags: ["abc123", "x"] },
    ]);
  });

  it("may build on each other, whose paths are relative to the same folder", () => {
    const services =
      "[{name: base}, {name: api, contexts: {base: 'target:base', docs: ../docs, alpine: 'docker-image://alpine:3'}}]";
    const { services: found, problems } = planFor({ services, context: "src" });
    expect(problems).toEqual([]);
    expect(found[1]).toMatchObject({
      contexts: { base: "target:base", docs: "src/../docs", alpine: "docker-image://alpine:3" },
      dependsOn: ["base"],
    });
  });

  it("may all be built on one of them, as the step says", () => {
    const services = "[{name: base}, {name: api}, {name: web, contexts: {base: other}}]";
    const given = { services, "build-contexts": "base: target:base" };
    const { services: found, problems } = planFor(given);
    expect(problems).toEqual([]);
    expect(found.map(({ contexts, dependsOn }) => [contexts, dependsOn])).toEqual([
      [{}, []],
      [{ base: "target:base" }, ["base"]],
      [{ base: "other" }, []],
    ]);
  });

  it("of one platform in two spellings have it once", () => {
    const given = { name: "a", platforms: "linux/arm64, linux/arm64/v8, linux/amd64" };
    expect(planFor(given).services[0]?.platforms).toEqual(["linux/arm64", "linux/amd64"]);
  });

  it("want the builder's network only where the step allows it", () => {
    const services = "[{name: a, network: host}]";
    expect(problemsFor({ services })).toEqual([
      expect.stringMatching(/entitlements: "network\.host": .*allow: network\.host/),
    ]);
    const allowed = planFor({ services, allow: "network.host" });
    expect(allowed.problems).toEqual([]);
    expect(allowed.services[0]?.entitlements).toEqual(["network.host"]);
  });
});

describe("what is wrong", () => {
  it.each<[Record<string, string>, RegExp[]]>([
    [{}, [/^name: give name for one service, or services, bake-file or folders/]],
    [{ registry: "https://x", name: "a" }, [/^registry: leave out the protocol/]],
    [{ name: "a;$(touch x)" }, [/^name: "a;\$\(touch x\)": an image's name is made of/]],
    [{ name: "::set-output name=x::y" }, [/^name: .*made of/]],
    [{ name: "a\n::error::x" }, [/^name: "a\\n::error::x": /]],
    [{ name: "--push" }, [/^name/]],
    [{ name: "a".repeat(300) }, [/^name: "a+…": with the registry it has 311/]],
    [{ registry: "", name: "a" }, [/^name: nothing says where its image goes; give registry/]],
    [{ name: "a", services: "[{name: b}]" }, [/^name: with services there are two sources/]],
    [{ name: "a", "bake-file": "x.hcl", folders: "s/*" }, [/^name: with bake-file and folders/]],
    [{ "bake-file": "x.hcl", target: "t" }, [/^target: with bake-file it belongs into the file/]],
    [{ name: "a", targets: "t" }, [/^targets: it chooses among the targets of a bake-file/]],
    [
      { name: "a", allow: "network.hosts" },
      [/^allow: "network.hosts": there is no such right; did you mean network\.host\?/],
    ],
    [
      { services: "[{name: a, image: me/api}, {name: b, image: 'ghcr.io/me/b:1'}]" },
      [/^services\.0 \(a\): image: "me\/api": name its registry too/, /image: .*leave out/],
    ],
    [
      { services: "[{name: a, image: ghcr.io/me/x}, {name: b, image: ghcr.io/me/x}]" },
      [/^services\.1 \(b\): tags: services\.0 \(a\) is ghcr\.io\/me\/x:abc123 too/],
    ],
    [
      { services: "[{name: a, contexts: {x: 'target:bsae'}}, {name: base}]" },
      [/^services\.0 \(a\): contexts: there is no service "bsae"; did you mean target:base\?/],
    ],
    [
      {
        services: "[{name: a, contexts: {b: 'target:b'}}, {name: b, contexts: {a: 'target:a'}}]",
      },
      [/contexts: target:b leads back to a/, /contexts: target:a leads back to b/],
    ],
    [
      {
        services:
          "[{name: a, platforms: [linux/arm64], contexts: {b: 'target:b'}}, {name: b, platforms: [linux/amd64]}]",
      },
      [/contexts: target:b is not built for linux\/arm64/],
    ],
    [
      { services: "[{name: a, mirrors: me/api}]" },
      [/^services\.0 \(a\): mirrors: "me\/api": name/],
    ],
    [
      { services: "[{name: a, mirrors: ghcr.io/me/a}]" },
      [/^services\.0 \(a\): mirrors: ghcr\.io\/me\/a is named twice/],
    ],
    [{ services: "[{name: a, network: bridge}]" }, [/network: "bridge": BuildKit knows default/]],
    [{ services: "[{name: a, shm-size: big}]" }, [/shm-size: "big": write it as 128m/]],
    [{ services: "[{name: a, ulimits: nofile}]" }, [/ulimits: "nofile"/]],
    [{ services: "[{name: a, extra-hosts: {db: 'a b'}}]" }, [/extra-hosts: "db"/]],
    [{ services: "[{name: a, entitlements: security}]" }, [/entitlements: "security": known are/]],
    [
      { services: "[{name: a, labels: {x: sssh}}]" },
      [/labels: "x": its value is a secret of this job, and labels can be read by all/],
    ],
    [
      { services: "[{name: a, contexts: {lib: 'https://me:pass@x.test/lib.git'}}]" },
      [/contexts: "lib": its value looks like an address with a password in it/],
    ],
    [{ services: "[{name: a, ssh: 'a b'}]" }, [/ssh: "a b": an id is made of/]],
    [{ services: "[{name: a, contexts: {'a b': x}}]" }, [/contexts: "a b": it can be no name/]],
    [{ name: "a", platforms: "amd64" }, [/^platforms: "amd64": write it as linux\/amd64/]],
    [{ name: "a", target: "--x" }, [/^target/]],
    [{ name: "a", "build-args": "A-B=1" }, [/^build-args: "A-B"/]],
    [
      { name: "a", "build-args": "X=sssh" },
      [/^build-args: "X": its value is a secret of this job/],
    ],
    [{ name: "a", secrets: "'a,src=/etc/passwd': X" }, [/^secrets: "a,src/]],
    [{ name: "a", username: "me" }, [/^password: .*go together/]],
    [{ name: "a", password: "pw" }, [/^username: .*go together/]],
    [
      { name: "a", target: "t", services: "[{name: b}]" },
      [/^name: with services there are two sources/, /^target: with services/],
    ],
    [
      { services: "[{name: b}, {name: A, tags: [.x]}, {name: b}]" },
      [
        /^services\.1 \(A\): tags: \.x is no tag/,
        /^services\.1 \(A\): name: "A": .*write a$/,
        /^services\.2 \(b\): name: services\.0 \(b\) has the same/,
      ],
    ],
  ])("in %j is told at once", (given, expected) => {
    expect(problemsFor(given)).toEqual(expected.map((each) => expect.stringMatching(each)));
  });

  it("never is a public build argument", () => {
    const given = { name: "a", "build-args": "MAPS_TOKEN=x" };
    expect(problemsFor(given)).toHaveLength(1);
    expect(problemsFor({ ...given, "public-build-args": "MAPS_TOKEN" })).toEqual([]);
  });

  it("never shows a secret build argument's value", () => {
    expect(problemsFor({ name: "a", "build-args": "NPM_TOKEN=hunter2" }).join()).not.toMatch(
      /hunter2/,
    );
  });
});

describe("a service of a file", () => {
  const options = (given: Record<string, string> = {}) =>
    optionsOf({ "bake-file": "x.hcl", ...given });
  const written = (references: string[], name = "api"): WrittenService => {
    return { prefix: `x.hcl, ${name}: `, input: { name }, references, linked: false };
  };
  const images = (found: readonly PlannedService[]) =>
    found.flatMap(({ repository, tags, mirrors }) =>
      [{ repository, tags }, ...mirrors].map((each) => {
        return `${each.repository.host}/${each.repository.path}:${each.tags.join(",")}`;
      }),
    );

  it.each<[string[], Record<string, string>, string[]]>([
    [["ghcr.io/me/api:1", "ghcr.io/me/api:2"], {}, ["ghcr.io/me/api:1,2"]],
    [["ghcr.io/me/api:1"], { registry: "quay.io/you" }, ["ghcr.io/me/api:1"]],
    [["ghcr.io/me/api"], {}, ["ghcr.io/me/api:latest"]],
    [["me/api:1"], {}, ["docker.io/me/api:1"]],
    [["me/api:1"], { registry: "quay.io" }, ["quay.io/me/api:1"]],
    [["me/api:1"], { registry: "quay.io/me" }, ["quay.io/me/api:1"]],
    [["api:dev"], { registry: "quay.io/me" }, ["quay.io/me/api:dev"]],
    [[], { registry: "quay.io/me" }, ["quay.io/me/api:abc123"]],
    [["ghcr.io/me/api:1"], { tags: "v2" }, ["ghcr.io/me/api:abc123"]],
    [
      ["docker.io/me/api:1", "ghcr.io/me/api:1", "ghcr.io/me/api:x"],
      {},
      ["docker.io/me/api:1", "ghcr.io/me/api:1,x"],
    ],
    [["api:1", "me/api:2"], { registry: "quay.io/me" }, ["quay.io/me/api:1,2"]],
  ])("whose tags are %j is, with %j, pushed as %j", (references, given, expected) => {
    const found = plan(options(given), [written(references)], surroundings);
    expect(found.problems).toEqual([]);
    expect(images(found.services)).toEqual(expected);
  });

  it.each<[string[], Record<string, string>, RegExp]>([
    [["api:dev"], {}, /^x\.hcl, api: tags: "api:dev": on Docker Hub .*give registry/],
    [["ghcr.io/me/api:a b"], {}, /^x\.hcl, api: tags: .*its tag "a b": a tag is made of/],
    [["ghcr.io/Me/api:1"], {}, /tags: .*no capital letters; write me\/api/],
    [[`ghcr.io/me/api@sha256:${"0".repeat(64)}`], {}, /tags: .*a digest is known only after/],
    [[], {}, /^x\.hcl, api: name: nothing says where its image goes/],
  ])("whose tags are %j is refused: %j", (references, given, expected) => {
    const { problems } = plan(options(given), [written(references)], surroundings);
    expect(problems.map(({ where, problem }) => `${where}: ${problem}`)).toEqual([
      expect.stringMatching(expected),
    ]);
  });

  it("may have a tag in one of its repositories that another service has there", () => {
    const all = [written(["a.io/x:1", "b.io/x:1"]), written(["c.io/x:1", "b.io/x:1"], "web")];
    const { problems } = plan(options(), all, surroundings);
    expect(problems).toEqual([
      { where: "x.hcl, web: tags", problem: "x.hcl, api is b.io/x:1 too", at: undefined },
    ]);
  });

  it("that is only built for others has no image", () => {
    const all = [
      { ...written(["a.io/x:1"]), input: { name: "api", contexts: { base: "target:base" } } },
      { ...written([], "base"), linked: true },
    ];
    const { problems, services, dependencies } = plan(options(), all, surroundings);
    expect(problems).toEqual([]);
    expect(services.map(({ name }) => name)).toEqual(["api"]);
    expect(dependencies.map(({ name }) => name)).toEqual(["base"]);
  });
});
