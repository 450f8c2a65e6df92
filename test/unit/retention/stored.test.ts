import { describe, expect, it } from "@jest/globals";
import { createdOf, manifestFacts, tagPattern } from "../../../shared/retention/index.ts";
import { subjectOfTag } from "../../../shared/retention/stored.ts";

const OCI = "application/vnd.oci.image";
const config = { mediaType: `${OCI}.config.v1+json`, digest: "sha256:c", size: 3 };
const layer = { mediaType: `${OCI}.layer.v1.tar+gzip`, digest: "sha256:l", size: 7 };
const manifest = { mediaType: `${OCI}.manifest.v1+json`, digest: "sha256:m", size: 9 };
const cache = "application/vnd.buildkit.cacheconfig.v0";

describe("what a manifest says of itself", () => {
  it.each<[string, object, object]>([
    [
      "an image",
      { config, layers: [layer] },
      { kind: "image", children: [], config: "sha256:c", subject: undefined },
    ],
    [
      "an image of Docker's older form",
      {
        config: { ...config, mediaType: "application/vnd.docker.container.image.v1+json" },
        layers: [],
      },
      { kind: "image" },
    ],
    ["an index", { manifests: [manifest] }, { kind: "index", children: ["sha256:m"], blobs: [] }],
    [
      "BuildKit's cache as an index",
      { manifests: [layer, { ...config, mediaType: cache }] },
      {
        kind: "cache",
        children: [],
        blobs: [
          { digest: "sha256:l", size: 7 },
          { digest: "sha256:c", size: 3 },
        ],
      },
    ],
    [
      "BuildKit's cache as an image",
      { config: { ...config, mediaType: cache }, layers: [] },
      { kind: "cache" },
    ],
    [
      "a Helm chart",
      { config: { ...config, mediaType: "application/vnd.cncf.helm.config.v1+json" }, layers: [] },
      { kind: "artifact", subject: undefined },
    ],
    [
      "something about an image",
      { config, layers: [], subject: manifest },
      { kind: "artifact", subject: "sha256:m" },
    ],
    [
      "a layer that is kept elsewhere",
      { config, layers: [{ ...layer, urls: ["https://elsewhere.example"] }] },
      { kind: "image", blobs: [{ digest: "sha256:c", size: 3 }] },
    ],
    [
      "its time as an annotation",
      {
        config,
        layers: [],
        annotations: { "org.opencontainers.image.created": "2026-01-02T03:04:05Z" },
      },
      { created: Date.UTC(2026, 0, 2, 3, 4, 5) },
    ],
  ])("%s", (_, given, expected) => {
    const text = JSON.stringify(given);
    expect(manifestFacts(text)).toMatchObject({ ...expected, bytes: text.length });
  });

  it.each(["", "null", "[]", "{}", '{"layers":[]}', '{"config":{},"layers":[]}', "<html>"])(
    "%j is none",
    (text) => expect(manifestFacts(text)).toBeUndefined(),
  );

  it.each([
    ['{"created":"2026-01-02T03:04:05Z"}', Date.UTC(2026, 0, 2, 3, 4, 5)],
    ['{"created":"1970-01-01T00:00:00Z"}', undefined],
    ['{"created":"0001-01-01T00:00:00Z"}', undefined],
    ['{"created":7}', undefined],
    ["{}", undefined],
    ["nothing", undefined],
  ])("%s was made then", (text, time) => expect(createdOf(text)).toBe(time));

  const hex = "0123456789abcdef".repeat(4);
  it.each([
    [`sha256-${hex}.sig`, `sha256:${hex}`],
    [`sha256-${hex}.att`, `sha256:${hex}`],
    [`sha256-${hex}`, `sha256:${hex}`],
    [`sha256-${hex.slice(1)}.sig`, undefined],
    ["sha-0123456", undefined],
  ])("the tag %s is about %s", (tag, subject) => expect(subjectOfTag(tag)).toBe(subject));
});

describe("tags to be kept", () => {
  it.each([
    ["semver", "1.2.3 v1.2.3 1.2 v1 v1.2.3-rc.1 1.2.3-alpine", "123 main sha-1.2 1.2.3.4.5 x1.2.3"],
    ["latest", "latest", "latest-2 old-latest Latest"],
    ["buildcache*", "buildcache buildcache-web", "my-buildcache"],
    ["release-?", "release-1", "release- release-10"],
    ["*", "anything", ""],
    ["a.b", "a.b", "axb"],
  ])("%s", (text, yes, no) => {
    const pattern = tagPattern(text);
    for (const tag of yes.split(" ").filter(Boolean))
      expect([tag, pattern.matches(tag)]).toEqual([tag, true]);
    for (const tag of no.split(" ").filter(Boolean))
      expect([tag, pattern.matches(tag)]).toEqual([tag, false]);
  });

  it.each(["a[b]", "a/b", "", "^v", "a:b"])("%j can be none", (text) => {
    expect(() => tagPattern(text)).toThrow("can match no tag");
  });
});
