import { describe, expect, test } from "@jest/globals";
import { withImagesOfFile } from "../../../shared/image-map/index.ts";
import { bundleOf, Runner, runStep } from "../../runner/index.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
/** As build-push writes it. */
const image = {
  repository: "127.0.0.1:5000/shop/web",
  tag: "v1",
  tags: ["v1", "latest"],
  digest: DIGEST,
  reference: `127.0.0.1:5000/shop/web@${DIGEST}`,
  ref: `127.0.0.1:5000/shop/web:v1@${DIGEST}`,
  platforms: ["linux/amd64"],
  size: 12_345,
  status: "built",
  key: "b".repeat(64),
  mirrors: [],
};

/** The images of a file with this text. */
async function read(text: string, given = {}) {
  await using runner = await Runner.create({ "out/images.json": text });
  const options = { images: undefined, imagesFile: "out/images.json", ...given };
  return (await withImagesOfFile(options, runner.workspace)).images;
}

describe("an images file", () => {
  const { repository, tag, digest } = image;
  const taken: [string, unknown, object][] = [
    ["as build-push writes it", { web: image }, { web: { repository, tag, digest } }],
    ["without a tag", { web: { ...image, tag: "" } }, { web: { repository, digest } }],
  ];
  test.each(taken)("is read %s", async (_, value, images) => {
    await expect(read(JSON.stringify(value))).resolves.toEqual(images);
    await expect(read(`\uFEFF${JSON.stringify(value, undefined, 2)}\n`)).resolves.toEqual(images);
  });

  const refused: [string, string, string][] = [
    ["empty", "", "it is empty"],
    ["cut off", '{"web": {"repository": ', "it is no JSON"],
    ["a list", "[]", "it is no map of services"],
    ["without an image", "{}", "it has no image; the build may have failed"],
    ["the digests alone", JSON.stringify({ web: DIGEST }), "web: it is no map"],
    [
      "without a digest",
      JSON.stringify({ web: { ...image, digest: "v1" } }),
      "web: digest: it must be",
    ],
    [
      "wrong in two places",
      JSON.stringify({ a: { ...image, repository: "" }, b: 1 }),
      "a: repository: it must be host/path without a tag; b: it is no map",
    ],
  ];
  test.each(refused)("that is %s is refused", async (_, text, problem) => {
    await expect(read(text)).rejects.toMatchObject({
      title: "The images file is not as build-push writes it",
      cause: expect.stringContaining(`out/images.json: ${problem}`),
    });
  });

  test("beside images is refused", async () => {
    const both = { images: { web: { repository, digest } } };
    await expect(read("{}", both)).rejects.toMatchObject({
      cause: "images and images-file are both given.",
    });
  });

  test("that is a folder is refused", async () => {
    await expect(read("{}", { imagesFile: "out" })).rejects.toMatchObject({
      title: "The images file cannot be read",
    });
  });
});

/** What each action needs to get as far as to its images, and no further than to no cluster. */
const ACTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "helm-upgrade": { release: "web", chart: "chart", kubeconfig: "nowhere", helm: "/nowhere/helm" },
  "apply-manifests": { kubeconfig: "nowhere" },
  "smoke-test": { service: "web", kubeconfig: "nowhere" },
};

test.each(Object.keys(ACTIONS))("%s takes one, and says which is missing", async (action) => {
  const main = bundleOf(action);
  const inputs = { ...ACTIONS[action], "images-file": "images.json" };
  const missing = await runStep(main, { inputs });
  expect(missing.exitCode).toBe(1);
  expect(missing.outputs.verdict).toBe("failed");
  expect(missing.outputs.cause).toMatch(/^There is no file \/.*\/workspace\/images\.json\.$/);
  expect(missing.stdout).toContain("hand the file on as an artifact");

  await using runner = await Runner.create({ "images.json": JSON.stringify({ web: image }) });
  const taken = await runStep(main, { inputs, runner });
  expect(taken.outputs.cause).toMatch(/nowhere/);
});
