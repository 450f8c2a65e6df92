import { describe, expect, it } from "@jest/globals";
import { proxyFor } from "../../../shared/kubernetes/proxy.ts";

const PROXY = "http://proxy.example:3128";

describe("the proxy for an address", () => {
  it.each([
    ["HTTPS_PROXY", { HTTPS_PROXY: PROXY }, "https://api.example:6443", PROXY],
    ["small letters", { https_proxy: PROXY }, "https://api.example", PROXY],
    ["HTTP_PROXY", { HTTP_PROXY: PROXY }, "http://api.example", PROXY],
    ["the other scheme's", { HTTP_PROXY: PROXY }, "https://api.example", undefined],
    [
      "no scheme of its own",
      { HTTPS_PROXY: "proxy:3128" },
      "https://api.example",
      "http://proxy:3128",
    ],
    ["none", {}, "https://api.example", undefined],
    ["empty", { HTTPS_PROXY: "" }, "https://api.example", undefined],
    ["this machine by name", { HTTPS_PROXY: PROXY }, "https://localhost:6443", undefined],
    ["this machine by address", { HTTPS_PROXY: PROXY }, "https://127.0.0.2:6443", undefined],
    [
      "this machine by address of version 6",
      { HTTPS_PROXY: PROXY },
      "https://[::1]:6443",
      undefined,
    ],
  ])("is taken from %s", (_, environment, address, proxy) => {
    expect(proxyFor(address, environment)).toBe(proxy);
  });

  it.each([
    ["*", "api.example", true],
    ["example", "api.example", true],
    ["api.example", "api.example", true],
    [".example", "api.example", true],
    [".api.example", "api.example", false],
    ["*.example", "api.example", true],
    ["pi.example", "api.example", false],
    ["other.example, api.example", "api.example", true],
    ["API.Example", "api.example", true],
    ["api.example:6443", "api.example:6443", true],
    ["api.example:443", "api.example:6443", false],
    ["10.0.0.0/8", "10.213.4.2:6443", true],
    ["10.0.0.0/8", "11.0.0.1", false],
    ["10.0.0.0/99", "10.0.0.1", false],
    ["10.0.0.1", "10.0.0.1", true],
    ["10.0.0.1:6443", "10.0.0.1:6443", true],
    ["fd00::/8", "[fd00::1]:6443", true],
    ["fd00::1", "[fd00::1]", true],
    ["", "api.example", false],
  ])("NO_PROXY=%s holds for %s: %s", (NO_PROXY, host, exempt) => {
    const proxy = proxyFor(`https://${host}`, { HTTPS_PROXY: PROXY, NO_PROXY });
    expect(proxy).toBe(exempt ? undefined : PROXY);
  });
});
