import { describe, expect, it } from "@jest/globals";
import {
  apiError,
  isForbidden,
  isGone,
  isNotFound,
  isTransient,
  Unreachable,
} from "../../../shared/kubernetes/api-error.ts";

const asked = { verb: "list", resource: "pods", namespace: "shop" };
const status = (code: number, message: string, reason = "") =>
  JSON.stringify({ code, message, reason });
const rbac =
  'pods is forbidden: User "system:serviceaccount:shop:ci" cannot list resource "pods" in API group "" in the namespace "shop"';
const global =
  'nodes is forbidden: User "ci" cannot watch resource "nodes" in API group "" at the cluster scope';
const quota =
  'pods "web" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1';

describe("an answer that says no", () => {
  it.each([
    [
      403,
      status(403, rbac),
      "403: system:serviceaccount:shop:ci may not list pods in namespace shop.",
    ],
    [403, status(403, global), "403: ci may not watch nodes in the whole cluster."],
    [403, status(403, quota), "exceeded quota: small"],
    [401, status(401, "Unauthorized"), "expired, revoked"],
    [404, status(404, 'pods "x" not found'), 'pods "x" not found (404)'],
    [409, status(409, "the object has been modified", "Conflict"), "(409 Conflict)"],
    [502, "<html>Bad Gateway</html>", "<html>Bad Gateway</html>"],
    [500, "", "no message"],
  ])("%i: %s", (code, body, words) => {
    expect(apiError(code, body, asked).cause).toContain(words);
  });

  it("says which rule is missing", () => {
    expect(apiError(403, status(403, rbac), asked).remedy).toContain(
      'Role with the rule {apiGroups: [""], resources: ["pods"], verbs: ["list"]} in namespace shop',
    );
    expect(apiError(403, status(403, global), asked).remedy).toContain("ClusterRole");
  });

  it("is told apart", () => {
    expect(isNotFound(apiError(404, "", asked))).toBe(true);
    expect(isForbidden(apiError(403, "", asked))).toBe(true);
    expect(isGone(apiError(410, "", asked))).toBe(true);
    expect(isGone(apiError(500, status(500, "", "Expired"), asked))).toBe(true);
    expect([429, 500, 503].map((code) => isTransient(apiError(code, "", asked)))).toEqual([
      true,
      true,
      true,
    ]);
    expect([400, 401, 403, 404, 409].some((code) => isTransient(apiError(code, "", asked)))).toBe(
      false,
    );
  });
});

describe("no answer", () => {
  const failure = (code: string, message = "failed") =>
    new Unreachable("https://blue:6443", Object.assign(new Error(message), { code }));

  it.each([
    ["ECONNREFUSED", true],
    ["ECONNRESET", true],
    ["UND_ERR_SOCKET", true],
    ["ENOTFOUND", false],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", false],
    ["ERR_TLS_CERT_ALTNAME_INVALID", false],
  ])("%s may pass: %s", (code, transient) => {
    const error = failure(code);
    expect(error.transient).toBe(transient);
    expect(error.cause).toContain("https://blue:6443");
    expect(error.cause).toContain(code);
  });
});
