import { describe, expect, it } from "@jest/globals";
import { refusalOf, refused, refusedError } from "../../../shared/apply-set/refusal.ts";
import { ApiError, type KubernetesObject } from "../../../shared/kubernetes/index.ts";

function error(status: number, message: string, causes: readonly object[] = []): ApiError {
  const parts = { title: "", cause: `patch things: ${message}`, remedy: "Correct it." };
  return new ApiError(parts, { status, reason: "", message, causes });
}

const object = (kind: string): KubernetesObject => ({
  apiVersion: "v1",
  kind,
  metadata: { name: "a" },
});

describe("a refusal of the API server", () => {
  it.each([
    [
      "fields of another manager",
      error(409, "Apply failed with 1 conflict", [
        {
          reason: "FieldManagerConflict",
          message: 'conflict with "hpa" using autoscaling/v1',
          field: ".spec.replicas",
        },
      ]),
      { kind: "conflict", conflicts: [{ manager: "hpa", field: ".spec.replicas" }] },
    ],
    ["a change in between", error(409, "the object has been modified"), { kind: "other" }],
    [
      "one unknown field",
      error(
        500,
        "failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): .spec.x: field not declared in schema",
      ),
      { kind: "schema", faults: [{ path: ".spec.x", unknown: true }] },
    ],
    [
      "several unknown fields",
      error(
        500,
        'failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): errors:\n  .spec.x: field not declared in schema\n  .spec.c[name="a b"].y: field not declared in schema',
      ),
      { kind: "schema", faults: [{ path: ".spec.x" }, { path: '.spec.c[name="a b"].y' }] },
    ],
    [
      "a value of another type",
      error(
        500,
        "failed to create typed patch object (shop/a; /v1, Kind=ConfigMap): .data.a: expected string, got &value.valueUnstructured{Value:true}",
      ),
      {
        kind: "schema",
        faults: [{ path: ".data.a", words: "expected string, got true", unknown: false }],
      },
    ],
    [
      "an unknown field of a custom resource",
      error(400, 'strict decoding error: unknown field "spec.ligth", unknown field "spec.b"'),
      {
        kind: "schema",
        faults: [
          { path: ".spec.ligth", unknown: true },
          { path: ".spec.b", unknown: true },
        ],
      },
    ],
    [
      "no namespace",
      error(404, 'namespaces "nope" not found'),
      { kind: "no-namespace", namespace: "nope" },
    ],
    [
      "a fixed template",
      error(
        422,
        `Job.batch "j" is invalid: spec.template: Invalid value: {"a":"${"x".repeat(900)}"}: field is immutable`,
      ),
      { kind: "immutable" },
    ],
    [
      "a fixed claim",
      error(422, "spec: Forbidden: spec is immutable after creation except resources.requests"),
      { kind: "immutable" },
    ],
    [
      "a fixed role",
      error(422, "roleRef: Invalid value: {}: cannot change roleRef"),
      { kind: "immutable" },
    ],
    [
      "an invalid value",
      error(422, "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
      { kind: "other" },
    ],
    ["a quota", error(403, "exceeded quota: pods"), { kind: "other" }],
  ])("for %s is read", (_, thrown, refusal) => {
    expect(refusalOf(thrown)).toMatchObject(refusal);
  });

  it("never repeats a whole template", () => {
    const thrown = error(
      422,
      `Job.batch "j" is invalid: spec.template: Invalid value: {"a":"${"x".repeat(9_000)}"}: field is immutable`,
    );
    const refusal = refusalOf(thrown);
    expect(refusal.kind === "immutable" && refusal.words).toBe(
      'Job.batch "j" is invalid: spec.template: Invalid value: …: field is immutable',
    );
  });

  it("of a Secret does not repeat its value", () => {
    const thrown = error(
      500,
      "failed to create typed patch object (shop/a; /v1, Kind=Secret): .stringData.pin: expected string, got &value.valueUnstructured{Value:4711}",
    );
    const failure = refusedError(
      [refused({ object: object("Secret"), origin: "" }, thrown)],
      false,
    );
    expect(failure.cause).toMatch(/\.stringData\.pin: expected string, got another type/);
    expect(String(failure)).not.toMatch(/4711/);
  });

  it("is told with what to do, many as one", () => {
    const many = Array.from({ length: 20 }, (_, index) => ({
      object: object(index === 0 ? "Job" : "Service"),
      origin: `place ${index}`,
      refusal: { kind: "immutable", words: "it is fixed" } as const,
    }));
    const failure = refusedError(many, false);
    expect(failure.cause.split("\n")).toHaveLength(13);
    expect(failure.cause).toMatch(/^job\/a \(place 0\): it is fixed\.\n[\s\S]*And 8 more\.$/);
    expect(failure.remedy).toMatch(/recreate: Job.*recreate: Service.*Nothing was changed\.$/);
    expect(refusedError(many.slice(0, 1), true).remedy).not.toMatch(/Nothing was changed/);
  });
});
