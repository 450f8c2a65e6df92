import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { imagePaths } from "../../../shared/helm/image-values.ts";
import { imageValues } from "../../../shared/helm/index.ts";

const digest = `sha256:${"a".repeat(64)}`;
const image = (name: string) => ({ repository: `r.example:5000/shop/${name}`, tag: "v1", digest });

describe("images in a chart's values", () => {
  it("puts a service where the chart has <service>.image", () => {
    const { values } = imageValues(
      { api: image("api"), "user-service": image("user") },
      { api: { image: { repository: "x" } }, userService: { image: { repository: "y" } } },
    );
    expect(values).toEqual({ api: { image: image("api") }, userService: { image: image("user") } });
  });

  it("puts a single service at a top-level image", () => {
    expect(imageValues({ web: image("web") }, { image: { repository: "x" } }).values).toEqual({
      image: image("web"),
    });
  });

  it("prefers the service's own place to the top level", () => {
    const defaults = { image: { repository: "x" }, web: { image: { repository: "y" } } };
    expect(imageValues({ web: image("web") }, defaults).placed[0]?.path).toBe("web.image");
  });

  it("writes the whole reference where the chart has a text", () => {
    expect(imageValues({ web: image("web") }, { image: "busybox" }).values).toEqual({
      image: `r.example:5000/shop/web:v1@${digest}`,
    });
  });

  it("keeps the registry apart where the chart does", () => {
    const defaults = { image: { registry: "docker.io", repository: "x" } };
    expect(imageValues({ web: image("web") }, defaults).values).toEqual({
      image: { registry: "r.example:5000", repository: "shop/web", tag: "v1", digest },
    });
  });

  it("follows the mapping, also to a place that the chart does not name", () => {
    const { values, placed } = imageValues({ web: image("web") }, {}, { web: "a.b.c" });
    expect(values).toEqual({ a: { b: { c: image("web") } } });
    expect(placed[0]?.path).toBe("a.b.c");
  });

  it("refuses a service that fits nowhere, and lists the places", () => {
    const defaults = { api: { image: { repository: "x" } }, jobs: { cleanerImage: "y" } };
    expect(() => imageValues({ api: image("api"), web: image("web") }, defaults)).toThrow(
      /no web\.image for the service web; its images are at api\.image, jobs\.cleanerImage/,
    );
  });

  it("refuses a mapping for a service without an image, suggesting the near one", () => {
    expect(() => imageValues({ web: image("web") }, { image: "x" }, { wbe: "image" })).toThrow(
      /did you mean web\?/,
    );
  });

  it("refuses two services at one place", () => {
    const mapping = { a: "image", b: "image" };
    expect(() => imageValues({ a: image("a"), b: image("b") }, {}, mapping)).toThrow(
      /More than one/,
    );
  });

  it("finds nothing in values without images, whatever they are", () => {
    expect(imagePaths({ replicas: 1, list: [{ image: "x" }], text: "image" })).toEqual([]);
    fc.assert(
      fc.property(fc.jsonValue(), (values) => {
        for (const path of imagePaths(values)) expect(path).not.toBe("");
      }),
    );
  });
});
