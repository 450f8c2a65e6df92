import { describe, expect, it } from "@jest/globals";
import { secretsSchema, servicesSchema } from "../../../actions/build-push/service-schema.ts";

/** What is wrong, as `path: message`; empty when nothing is. */
function issues(value: unknown): string[] {
  const result = servicesSchema.safeParse(value);
  return result.success
    ? []
    : result.error.issues.map(({ path, message }) => `${path.join(", ")}: ${message}`);
}

describe("a list of services", () => {
  it("is read with all that a service may have", () => {
    const written = {
      name: " api ",
      context: "services/api",
      dockerfile: "Dockerfile.prod",
      target: "final",
      "build-args": { VERSION: "1.10", EMPTY: "" },
      secrets: { npm: "NPM_TOKEN", key: { file: "key.pem" } },
      platforms: ["linux/amd64"],
      tags: "1",
    };
    expect(servicesSchema.safeParse([written, { name: "web" }])).toEqual({
      success: true,
      data: [
        {
          name: "api",
          context: "services/api",
          dockerfile: "Dockerfile.prod",
          target: "final",
          buildArgs: { VERSION: "1.10", EMPTY: "" },
          secrets: { npm: { variable: "NPM_TOKEN" }, key: { file: "key.pem" } },
          platforms: ["linux/amd64"],
          tags: ["1"],
        },
        { name: "web" },
      ],
    });
  });

  it("is read with what seldom is needed", () => {
    const written = {
      name: "api",
      image: "ghcr.io/me/api",
      mirrors: "docker.io/me/api",
      contexts: { base: "target:base" },
      "dockerfile-inline": "FROM scratch\n",
      ssh: ["default", { git: "key" }],
      "extra-tags": "x",
      labels: { a: "b" },
      annotations: { "index:a": "b" },
      "cache-from": "type=gha",
      "cache-to": ["type=inline"],
      "no-cache": true,
      "no-cache-filter": "build",
      pull: "false",
      network: "none",
      "extra-hosts": { db: "10.0.0.1" },
      "shm-size": "1g",
      ulimits: "nofile=1:2",
      entitlements: "network.host",
      provenance: "off",
      sbom: true,
    };
    expect(servicesSchema.safeParse([written])).toEqual({
      success: true,
      data: [
        {
          name: "api",
          image: "ghcr.io/me/api",
          mirrors: ["docker.io/me/api"],
          contexts: { base: "target:base" },
          dockerfileInline: "FROM scratch\n",
          ssh: [
            { id: "default", paths: [] },
            { id: "git", paths: ["key"] },
          ],
          extraTags: ["x"],
          labels: { a: "b" },
          annotations: { "index:a": "b" },
          cacheFrom: ["type=gha"],
          cacheTo: ["type=inline"],
          noCache: true,
          noCacheFilter: ["build"],
          pull: false,
          network: "none",
          extraHosts: { db: "10.0.0.1" },
          shmSize: "1g",
          ulimits: ["nofile=1:2"],
          entitlements: ["network.host"],
          provenance: "off",
          sbom: true,
        },
      ],
    });
  });

  it.each<[unknown, RegExp[]]>([
    ["api", [/^: it is not a list; the name of one service belongs into name$/]],
    ["services/*/Dockerfile", [/^: it is not a list; a pattern of folders belongs into folders$/]],
    ["docker-bake.hcl", [/^: it is not a list; a file belongs into bake-file$/]],
    ["deploy/compose.yaml", [/^: it is not a list; a file belongs into bake-file$/]],
    [null, [/^: it is not a list/]],
    [[], [/^: the list is empty/]],
    [["api"], [/^service 1: it is not a mapping/]],
    [[{ context: "." }], [/^service 1: name is missing/]],
    [[{ name: "" }], [/^service 1, name: it is empty/]],
    [[{ name: 1 }], [/^service 1, name: put it in quotes/]],
    [
      [{ name: "a", dockerfle: "x" }],
      [/^service 1: there is no key "dockerfle"; did you mean dockerfile\?/],
    ],
    [
      [{ name: "a", zzzzzzzz: "x" }],
      [/^service 1: .*"zzzzzzzz"; known are name, image, mirrors, context/],
    ],
    [[{ name: "a", "build-args": { V: 1.1 } }], [/^service 1, build-args, V: put it in quotes/]],
    [[{ name: "a", "build-args": ["V=1"] }], [/^service 1, build-args: it is not a mapping/]],
    [[{ name: "a", "no-cache": "yes" }], [/^service 1, no-cache: it is neither true nor false/]],
    [[{ name: "a", provenance: true }], [/^service 1, provenance: it is none of min, max, off/]],
    [[{ name: "a", ssh: [{ k: 1 }] }], [/^service 1, ssh, item 1, k: put it in quotes/]],
    [[{ name: "a", "dockerfile-inline": " " }], [/^service 1, dockerfile-inline: it is empty/]],
    [
      Array.from({ length: 501 }, () => ({ name: "a" })),
      [/^: the list has 501 items, at most 500/],
    ],
    [[{ name: "a", tags: [] }], [/^service 1, tags: it is empty/]],
    [[{ name: "a", tags: ["x", null] }], [/^service 1, tags, item 2: it is empty/]],
    [
      [{ name: "a", secrets: { t: { path: "x" } } }],
      [/^service 1, secrets, t: there is no key "path"/, /^service 1, secrets, t: file is missing/],
    ],
    [
      [{ name: 1 }, { nam: "b" }],
      [/^service 1, name/, /^service 2: .*"nam"; did you mean name/, /^service 2: name is missing/],
    ],
  ])("is refused as %j, with every problem", (value, expected) => {
    expect(issues(value)).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
  });
});

it("does not repeat a secret that was put where its variable's name belongs", () => {
  const result = secretsSchema.safeParse({ npm: "npm_very-secret" });
  expect(result.success).toBe(false);
  expect(JSON.stringify(result)).not.toContain("very-secret");
  expect(JSON.stringify(result)).toContain("not the secret itself");
});
