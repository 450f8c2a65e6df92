import { describe, expect, it } from "@jest/globals";
import { parseImage } from "../../../shared/images/index.ts";

const digest = `sha256:${"a".repeat(64)}`;

describe("an image's name", () => {
  it.each([
    ["nginx", { host: "docker.io", path: "library/nginx", tag: "latest" }],
    ["nginx:1.27", { host: "docker.io", path: "library/nginx", tag: "1.27" }],
    ["shop/web", { host: "docker.io", path: "shop/web", tag: "latest" }],
    ["ghcr.io/shop/web:v1", { host: "ghcr.io", path: "shop/web", tag: "v1" }],
    ["localhost/web", { host: "localhost", path: "web", tag: "latest" }],
    ["127.0.0.1:5000/web:v1", { host: "127.0.0.1:5000", path: "web", tag: "v1" }],
    ["registry:5000/web", { host: "registry:5000", path: "web", tag: "latest" }],
    ["index.docker.io/shop/web", { host: "docker.io", path: "shop/web", tag: "latest" }],
    [`ghcr.io/web@${digest}`, { host: "ghcr.io", path: "web", digest }],
    [`ghcr.io/web:v1@${digest}`, { host: "ghcr.io", path: "web", tag: "v1", digest }],
  ])("%s", (text, expected) => {
    expect(parseImage(text)).toEqual(expected);
  });

  it.each([
    "",
    "web@",
    "web@sha256:12",
    `web@${digest}@${digest}`,
    "we b",
    "/web",
    "web:",
    "web:a b",
  ])("%j is none", (text) => {
    expect(parseImage(text)).toBeUndefined();
  });
});
