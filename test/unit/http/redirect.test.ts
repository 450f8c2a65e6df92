import { describe, expect, it } from "@jest/globals";
import type { HttpRequest } from "../../../shared/http/index.ts";
import { redirected } from "../../../shared/http/redirect.ts";

const request: HttpRequest = {
  url: new URL("https://a.test/x/y?z"),
  method: "POST",
  headers: { authorization: "Bearer t" },
  body: "data",
  followRedirects: true,
  wholeBody: false,
};

function follow(status: number, location: string, from: Partial<HttpRequest> = {}) {
  return redirected({ ...request, ...from }, { status, headers: { location } });
}

describe("redirected", () => {
  it.each([
    [301, "GET", undefined],
    [302, "GET", undefined],
    [303, "GET", undefined],
    [307, "POST", "data"],
    [308, "POST", "data"],
  ])("a %i after POST becomes %s", (status, method, body) => {
    expect(follow(status, "/n")).toMatchObject({ method, body, headers: request.headers });
  });

  it.each([
    [301, "PUT", "PUT"],
    [303, "PUT", "GET"],
    [303, "HEAD", "HEAD"],
  ])("a %i after %s becomes %s", (status, method, next) => {
    expect(follow(status, "/n", { method })?.method).toBe(next);
  });

  it.each([
    ["/n", "https://a.test/n"],
    ["n", "https://a.test/x/n"],
    ["?q", "https://a.test/x/y?q"],
    ["//b.test/n", "https://b.test/n"],
    ["http://a.test/n", "http://a.test/n"],
  ])("%s leads to %s", (location, url) => {
    expect(follow(302, location)?.url.href).toBe(url);
  });

  it.each(["https://b.test/", "http://a.test/", "https://a.test:444/"])(
    "sends no headers to another origin, %s",
    (location) => {
      expect(follow(307, location)?.headers).toEqual({});
    },
  );

  it.each([200, 300, 304, 404])("a %i is none", (status) => {
    expect(follow(status, "/n")).toBeUndefined();
  });

  it("does not leave a Service", () => {
    const via = { host: "127.0.0.1", port: 1 };
    expect(() => follow(302, "https://b.test/", { via })).toThrow("away from what is asked");
    expect(follow(302, "/n", { via })?.via).toBe(via);
  });

  it.each(["ftp://a.test/", "javascript:alert(1)", "http://"])("refuses %s", (location) => {
    expect(() => follow(302, location)).toThrow("no HTTP URL");
  });
});
