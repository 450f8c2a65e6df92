import { describe, expect, it } from "@jest/globals";
import { parseConfig, parseManifest } from "../../../shared/registry/manifest.ts";

const config = { mediaType: "x", digest: "sha256:c", size: 7 };
const layer = { mediaType: "y", digest: "sha256:l", size: 100 };

describe("a manifest", () => {
  it("of an image names its configuration and layers", () => {
    expect(parseManifest(JSON.stringify({ schemaVersion: 2, config, layers: [layer] }))).toEqual({
      kind: "image",
      config: { ...config, annotations: {} },
      layers: [{ ...layer, annotations: {} }],
    });
  });

  it("leaves out layers that are fetched from elsewhere", () => {
    const foreign = { ...layer, urls: ["https://example.org/layer"] };
    expect(parseManifest(JSON.stringify({ config, layers: [foreign] }))).toMatchObject({
      layers: [],
    });
  });

  it("of several images tells platforms from attestations", () => {
    const manifests = [
      {
        digest: "sha256:1",
        size: 1,
        platform: { os: "linux", architecture: "arm64", variant: "v8" },
      },
      { digest: "sha256:2", size: 2, platform: { os: "unknown", architecture: "unknown" } },
      { digest: "sha256:3", size: 3 },
    ];
    expect(parseManifest(JSON.stringify({ manifests }))).toEqual({
      kind: "index",
      images: [
        { digest: "sha256:1", size: 1, platform: "linux/arm64", mediaType: "", annotations: {} },
      ],
      attestations: [
        { digest: "sha256:2", size: 2, mediaType: "", annotations: {} },
        { digest: "sha256:3", size: 3, mediaType: "", annotations: {} },
      ],
    });
  });

  it.each([
    "",
    "null",
    "[]",
    "1",
    "<html>",
    "{}",
    '{"config":{}}',
    '{"config":{"digest":"a","size":1}}',
    '{"manifests":[{}]}',
  ])("is not %s", (text) => {
    expect(parseManifest(text)).toBeUndefined();
  });
});

it.each([
  ['{"os":"linux","architecture":"amd64"}', "linux/amd64"],
  ['{"os":"linux","architecture":"arm","variant":"v6"}', "linux/arm/v6"],
  ["{}", undefined],
  ["", undefined],
])("a configuration of %s is for %s", (text, expected) => {
  expect(parseConfig(text)?.platform).toBe(expected);
});
