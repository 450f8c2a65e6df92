import { describe, expect, it } from "@jest/globals";
import { inputs } from "../../../actions/prune-images/inputs.ts";
import { repositoriesOf } from "../../../actions/prune-images/repositories.ts";
import { nameOf } from "../../../shared/images/index.ts";

const HOUR = 3_600_000;

describe("an age", () => {
  const parse = (raw: string) => inputs["keep-younger-than"].parse(raw);
  it.each([
    ["12h", 12 * HOUR],
    ["30d", 30 * 24 * HOUR],
    ["8w", 8 * 7 * 24 * HOUR],
    ["0d", 0],
  ])("%s", (raw, expected) => expect(parse(raw)).toBe(expected));

  it.each(["30", "d", "-1d", "1.5d", "1m", "999999d", "30 d"])("%j is none", (raw) => {
    expect(() => parse(raw)).toThrow("not an age");
  });
});

describe("tags to be kept", () => {
  it("are none by the word none, and refused where they can match nothing", () => {
    expect(inputs["keep-tags"].parse("none")).toEqual([]);
    const texts = inputs["keep-tags"].parse("semver, v*\nlatest").map(({ text }) => text);
    expect(texts).toEqual(["semver", "v*", "latest"]);
    expect(() => inputs["keep-tags"].parse("v[0-9]")).toThrow("can match no tag");
  });
});

describe("the repositories", () => {
  type Given = Parameters<typeof repositoriesOf>[0];
  const named = (given: Partial<Given>) =>
    repositoriesOf({
      repositories: undefined,
      registry: undefined,
      images: undefined,
      ...given,
    }).map(nameOf);
  const digest = `sha256:${"0".repeat(64)}`;

  it.each<[string, Partial<Given>, readonly string[]]>([
    [
      "by full names",
      { repositories: ["ghcr.io/Owner/Web", "localhost/x"] },
      ["ghcr.io/owner/web", "localhost/x"],
    ],
    [
      "below a registry",
      { registry: "ghcr.io/owner/", repositories: ["web", "team/api"] },
      ["ghcr.io/owner/web", "ghcr.io/owner/team/api"],
    ],
    [
      "of images that were pushed, each once",
      {
        repositories: ["ghcr.io/owner/web"],
        images: {
          web: { repository: "ghcr.io/owner/web", digest },
          api: { repository: "127.0.0.1:5000/api", digest },
        },
      },
      ["ghcr.io/owner/web", "127.0.0.1:5000/api"],
    ],
  ])("%s", (_, given, expected) => expect(named(given)).toEqual(expected));

  it.each<[string, Partial<Given>, string]>([
    ["none", {}, "names a repository"],
    ["a name without a registry", { repositories: ["web"] }, "give the input registry"],
    ["a tag", { repositories: ["ghcr.io/owner/web:v1"] }, "without tag or digest"],
    ["a tag below a registry", { registry: "ghcr.io/x", repositories: ["web:v1"] }, "without tag"],
    ["a digest", { repositories: [`ghcr.io/owner/web@${digest}`] }, "without tag or digest"],
    ["a registry alone", { repositories: ["ghcr.io/"] }, "it names a registry, and no repository"],
    ["a protocol", { repositories: ["https://ghcr.io/owner/web"] }, ""],
    ["an impossible path", { repositories: ["ghcr.io/owner/-web"] }, "cannot be part of a path"],
  ])("%s is refused", (_, given, words) => {
    expect(() => named(given)).toThrow(words);
  });
});
