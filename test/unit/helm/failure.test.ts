import { describe, expect, it } from "@jest/globals";
import { errorWords, helmFailure } from "../../../shared/helm/failure.ts";
import { HelmFailure } from "../../../shared/helm/index.ts";
import { CommandFailed } from "../../../shared/process/index.ts";

const failed = (stderr: string, why: CommandFailed["why"] = "exit") =>
  helmFailure(
    new CommandFailed({
      message: why === "not-found" ? "helm was not found on the PATH" : "helm ended",
      commandLine: "helm",
      why,
      stderrTail: stderr,
      milliseconds: 3_000,
    }),
    { doing: "upgrade shop", namespace: "shop", chart: "./chart" },
  ) as HelmFailure;

/** Each line of Helm's is copied from a run of Helm 4.3 or 3.22. */
const CASES: readonly [kind: string, stderr: string, cause: string][] = [
  [
    "render",
    `Error: c/templates/x.yaml:1:13
  executing "c/templates/x.yaml" at <.Values.foo.bar>:
    nil pointer evaluating interface {}.bar

Use --debug flag to render out invalid YAML
`,
    "c/templates/x.yaml:1, at {{ .Values.foo.bar }}: .Values.foo is not set, so its bar cannot be read.",
  ],
  [
    "render",
    'Error: template: c/templates/x.yaml:1:13: executing "c/templates/x.yaml" at <.Values.foo.bar>: nil pointer evaluating interface {}.bar\n\nUse --debug flag to render out invalid YAML\n',
    "c/templates/x.yaml:1, at {{ .Values.foo.bar }}: .Values.foo is not set, so its bar cannot be read.",
  ],
  [
    "render",
    `Error: c/templates/x.yaml:1:6
  executing "c/templates/x.yaml" at <include "inner" .>:
    error calling include:
c/templates/_h.tpl:2:10
  executing "inner" at <.Values.a.b>:
    nil pointer evaluating interface {}.b

Use --debug flag to render out invalid YAML
`,
    "c/templates/_h.tpl:2 (included by c/templates/x.yaml:1), at {{ .Values.a.b }}: .Values.a is not set, so its b cannot be read.",
  ],
  [
    "render",
    'Error: template: c/templates/x.yaml:1:6: executing "c/templates/x.yaml" at <include "inner" .>: error calling include: template: c/templates/_h.tpl:2:10: executing "inner" at <.Values.a.b>: nil pointer evaluating interface {}.b\n\nUse --debug flag to render out invalid YAML\n',
    "c/templates/_h.tpl:2 (included by c/templates/x.yaml:1), at {{ .Values.a.b }}: .Values.a is not set, so its b cannot be read.",
  ],
  [
    "render",
    `Error: c/templates/x.yaml:1:6
  executing "c/templates/x.yaml" at <include "nope" .>:
    error calling include:
template: no template "nope" associated with template "gotpl"

Use --debug flag to render out invalid YAML
`,
    'c/templates/x.yaml:1, at {{ include "nope" . }}: error calling include: template: no template "nope" associated with template "gotpl".',
  ],
  [
    "render",
    'Error: template: c/templates/x.yaml:1:6: executing "c/templates/x.yaml" at <include "nope" .>: error calling include: template: no template "nope" associated with template "gotpl"\n',
    'c/templates/x.yaml:1, at {{ include "nope" . }}: error calling include: template: no template "nope" associated with template "gotpl".',
  ],
  [
    "render",
    "Error: parse error at (c/templates/x.yaml:2): unclosed action started at c/templates/x.yaml:1\n\nUse --debug flag to render out invalid YAML\n",
    "c/templates/x.yaml:2: unclosed action started at c/templates/x.yaml:1.",
  ],
  [
    "render",
    "Error: execution error at (c/templates/x.yaml:1:6): image is needed\n\nUse --debug flag to render out invalid YAML\n",
    "c/templates/x.yaml:1: image is needed.",
  ],
  [
    "render",
    "Error: YAML parse error on c/templates/x.yaml: error converting YAML to JSON: yaml: line 2: mapping values are not allowed in this context\n\nUse --debug flag to render out invalid YAML\n",
    "c/templates/x.yaml: line 2 of what it renders is not valid YAML: mapping values are not allowed in this context.",
  ],
  [
    "values",
    "Error: failed to parse values.yaml: cannot unmarshal yaml document: error converting YAML to JSON: yaml: line 2: did not find expected ',' or ']'\n",
    "values.yaml: yaml: line 2: did not find expected ',' or ']'.",
  ],
  [
    "values",
    "Error: failed to parse values.yaml: error converting YAML to JSON: yaml: line 2: did not find expected ',' or ']'\n",
    "values.yaml: yaml: line 2: did not find expected ',' or ']'.",
  ],
  [
    "values",
    "Error: failed to parse the input values: error converting YAML to JSON: yaml: line 1: did not find expected node content\n",
    "the input values: yaml: line 1: did not find expected node content.",
  ],
  [
    "values",
    "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nc:\n- at '/replicas': got number, want string\n\n",
    "values.schema.json rejects them: c: - at '/replicas': got number, want string.",
  ],
  [
    "unreachable",
    'level=ERROR msg="cluster reachability check failed: kubernetes cluster unreachable: Get \\"http://localhost:8080/version\\": dial tcp 127.0.0.1:8080: connect: connection refused"\nError: cluster reachability check failed: kubernetes cluster unreachable: Get "http://localhost:8080/version": dial tcp 127.0.0.1:8080: connect: connection refused\n',
    'Helm got no answer from the API server: Get "http://localhost:8080/version": dial tcp 127.0.0.1:8080: connect: connection refused.',
  ],
  [
    "credentials",
    'Error: Kubernetes cluster unreachable: context "nope" does not exist\n',
    'The kubeconfig has no context "nope".',
  ],
  [
    "chart",
    'Error: path "./nochart" not found\n',
    'There is no chart at "./chart": path "./nochart" not found.',
  ],
  ["chart", "Error: repo foo not found\n", 'There is no chart at "./chart": repo foo not found.'],
  [
    "chart",
    "Error: Chart.yaml file is missing\n",
    'There is no chart at "./chart": Chart.yaml file is missing.',
  ],
  [
    "chart",
    "Error: unable to detect chart at /w/d/Chart.yaml: open /w/d/Chart.yaml: no such file or directory\n",
    'There is no chart at "./chart": unable to detect chart at /w/d/Chart.yaml: open /w/d/Chart.yaml: no such file or directory.',
  ],
  [
    "chart",
    'Error: Get "https://127.0.0.1:1/v2/x/y/tags/list": dial tcp 127.0.0.1:1: connect: connection refused\n',
    '"./chart": https://127.0.0.1:1/v2/x/y/tags/list gives dial tcp 127.0.0.1:1: connect: connection refused.',
  ],
  [
    "chart",
    "Flag --validate has been deprecated, use '--dry-run=server' instead\nError: an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: redis\n",
    "Chart.yaml names redis, and the folder charts/ does not have it.",
  ],
  [
    "forbidden",
    'Error: UPGRADE FAILED: could not create: deployments.apps is forbidden: User "system:serviceaccount:shop:ci" cannot create resource "deployments" in API group "apps" in the namespace "shop"\n',
    "403: system:serviceaccount:shop:ci may not create deployments (API group apps) in namespace shop.",
  ],
  [
    "pending",
    "Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress\n",
    "Helm says that an install, upgrade or rollback of this release in namespace shop is in progress.",
  ],
  [
    "conflict",
    'Error: UPGRADE FAILED: conflict occurred while applying object shop/web apps/v1, Kind=Deployment: Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas\n',
    "Server-side apply refuses: kubectl owns .spec.replicas.",
  ],
  [
    "ownership",
    'Error: UPGRADE FAILED: Unable to continue with update: ConfigMap "own" in namespace "shop" exists and cannot be imported into the current release: invalid ownership metadata; label validation error: missing key "app.kubernetes.io/managed-by": must be set to "Helm"\n',
    'ConfigMap "own" is there and was not made by this release: invalid ownership metadata; label validation error: missing key "app.kubernetes.io/managed-by": must be set to "Helm".',
  ],
  [
    "rejected",
    'Error: unable to build kubernetes objects from release manifest: resource mapping not found for name: "w" namespace: "" from "": no matches for kind "Widget" in version "foo.example/v1"\nensure CRDs are installed first\n',
    "The chart has a Widget of foo.example/v1, which this cluster does not serve.",
  ],
  [
    "rejected",
    "Error: server-side apply failed for object shop/w /v1, Kind=ConfigMap: failed to create typed patch object (shop/w; /v1, Kind=ConfigMap): errors:\n  .data.a: expected string, got &value.valueUnstructured{Value:1}\n  .foo: field not declared in schema\n",
    "Helm could not upgrade shop: server-side apply failed for object shop/w /v1, Kind=ConfigMap: failed to create typed patch object (shop/w; /v1, Kind=ConfigMap): errors: .data.a: expected string, got &value.valueUnstructured{Value:1} .foo: field not declared in schema.",
  ],
  [
    "rejected",
    'Error: UPGRADE FAILED: cannot patch "web" with kind Deployment: Deployment.apps "web" is invalid: spec.selector: Invalid value: {"matchLabels":{"b":"c"}}: field is immutable\n',
    'Helm could not upgrade shop: cannot patch "web" with kind Deployment: Deployment.apps "web" is invalid: spec.selector: Invalid value: {"matchLabels":{"b":"c"}}: field is immutable.',
  ],
  [
    "hook",
    "Error: failed pre-install: 1 error occurred:\n\t* job hk failed: BackoffLimitExceeded\n\n\n",
    "pre-install: job hk failed: BackoffLimitExceeded.",
  ],
  [
    "hook",
    "Error: failed pre-install: resource Job/shop/hk not ready. status: Failed, message: Job Failed. failed: 1/1\n",
    "pre-install: resource Job/shop/hk not ready. status: Failed, message: Job Failed. failed: 1/1.",
  ],
  ["other", "Error: UPGRADE FAILED: the sky fell\n", "Helm says: the sky fell"],
];

describe("a failure of Helm", () => {
  it.each(CASES)("%s: %s", (kind, stderr, cause) => {
    const failure = failed(stderr);
    expect(failure).toBeInstanceOf(HelmFailure);
    expect({ kind: failure.kind, cause: failure.cause }).toEqual({ kind, cause });
    expect(failure.remedy).not.toBe("");
  });

  it("points at the template's line in the workspace", () => {
    const failure = failed("Error: execution error at (c/templates/x.yaml:7:6): image is needed\n");
    expect(failure.at).toEqual({ file: "chart/templates/x.yaml", line: 7 });
  });

  it("says what to do when there is no Helm", () => {
    const failure = failed("", "not-found");
    expect(failure.kind).toBe("missing");
    expect(failure.remedy).toMatch(/Install Helm 3 or 4/);
  });

  it("tells a deadline with the last words", () => {
    expect(failed("Error: still at it\n", "deadline").cause).toBe(
      "Helm could not upgrade shop within 3 s; its last words: still at it.",
    );
  });

  it("gives back what is no failure of a command", () => {
    const bug = new TypeError("ours");
    expect(helmFailure(bug, { doing: "x", namespace: "y" })).toBe(bug);
  });

  it("takes log lines and hints out of Helm's words", () => {
    const stderr =
      "level=WARN msg=x\nWARNING: group-readable\nError: UPGRADE FAILED: no\n\nUse --debug flag to render out invalid YAML\n";
    expect(errorWords(stderr)).toBe("no");
  });
});
