import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { Runner } from "../../runner/index.ts";
import { CERTIFICATE, KEY } from "../../unit/job-config/certificates.ts";
import { Harbour, mapOf, pinned, verdictOf } from "../apply-manifests/harbour.ts";
import type { ServiceImage } from "../workload-images/service-image.ts";
import { endsOf, filesOf, type JobSetting, runJob } from "./workflow-job.ts";

const EXAMPLE = "examples/ml-platform";
const WORKFLOWS = `${EXAMPLE}/.github/workflows`;
const SERVICES = { "model-serving": 9005, "embedding-service": 9006, "search-service": 9007 };
const DATABASES = { postgres: 5432, redis: 6379, minio: 9000 };
type Service = keyof typeof SERVICES;
const NAMES = Object.keys(SERVICES) as readonly Service[];
const DSN = 'postgresql://mlflow:it\'s "a" $ecret: #1@postgres:5432/mlflow';

let harbour: Harbour;
let runner: Runner;
let images: Readonly<Record<Service, ServiceImage>>;
/** Namespaces beside the harbour's own. */
let production: string;
let monitoring: string;

/** The databases' charts with images that the bed has, and nothing to keep data on. */
async function withLocalImages(files: Readonly<Record<string, string>>) {
  const stood = Object.entries(DATABASES).map(async ([name, port]) => {
    const listen = ["nc", "-ll", "-p", String(port), "-e", "cat"];
    const { repository, tag } = await harbour.image(name, "16", { entrypoint: listen });
    const values = (files[`charts/${name}/values.yaml`] ?? "")
      .replace(/repository: .*/, `repository: ${repository}`)
      .replace(/tag: .*/, `tag: "${tag}"`)
      .replace("enabled: true", "enabled: false");
    return [`charts/${name}/values.yaml`, values] as const;
  });
  return { ...files, ...Object.fromEntries(await Promise.all(stood)) };
}

function setting(map = images): JobSetting {
  return {
    runner,
    expressions: {
      "needs.build.outputs.images": mapOf(map),
      "inputs.images": mapOf(map),
      "secrets.KUBE_CONFIG": harbour.box.endpoints.kubeconfig,
      "secrets.POSTGRES_PASSWORD": "pg-password-1",
      "secrets.MINIO_PASSWORD": "minio-password-1",
      "secrets.ML_VECTOR_DB_DSN": DSN,
      "secrets.ML_JWT_SECRET_KEY": "jwt-secret-key",
      "secrets.TLS_CERTIFICATE": CERTIFICATE,
      "secrets.TLS_KEY": KEY,
    },
    words: [
      ["ml-platform-staging", harbour.namespace],
      ["ml-platform-production", production],
      ["namespace: monitoring", `namespace: ${monitoring}`],
    ],
    path: harbour.box.endpoints.bin,
  };
}

beforeAll(async () => {
  harbour = await Harbour.open("ml");
  [production, monitoring] = [`${harbour.namespace}-production`, `${harbour.namespace}-monitoring`];
  const files = await filesOf(EXAMPLE);
  // It needs a metrics server, which the bed has not.
  const { "k8s/production/autoscaling.yaml": _, ...rest } = files;
  runner = await Runner.create(await withLocalImages(rest));
  const built = NAMES.map(
    async (name) => [name, await harbour.image(name, "staging", { port: SERVICES[name] })] as const,
  );
  images = Object.fromEntries(await Promise.all(built)) as typeof images;
}, 60_000);
afterAll(async () => {
  await runner?.[Symbol.asyncDispose]();
  for (const name of [production, monitoring]) {
    await harbour.box.cluster.delete({ apiVersion: "v1", kind: "Namespace", name });
  }
  await harbour?.[Symbol.asyncDispose]();
});

describe("the ML platform", () => {
  it("gets its databases, settings and services in staging, and is asked how it does", async () => {
    const ran = await runJob(`${WORKFLOWS}/staging.yml`, "deploy", setting());
    expect(endsOf(ran)).toEqual([
      "apply-manifests passed",
      ...Object.keys(DATABASES).map(() => "helm-upgrade passed"),
      "apply-manifests passed",
      ...NAMES.map(() => "smoke-test passed"),
    ]);
    const { data } = (await harbour.box.cluster.get(
      harbour.ref("Secret", "ml-platform-secrets"),
    )) as unknown as { data: Record<string, string> };
    expect(Buffer.from(data.ML_VECTOR_DB_DSN ?? "", "base64").toString()).toBe(DSN);
    const said = ran.flatMap(({ step }) => [
      ...step.lines,
      step.summary,
      JSON.stringify(step.outputs),
    ]);
    expect(said.filter((line) => !line.startsWith("::add-mask::")).join("\n")).not.toContain(
      "$ecret",
    );
  }, 240_000);

  it("has the image of one service set, as `kubectl set image` does, past the manifests that made it", async () => {
    const search = await harbour.image("search-service", "v1.0.0", { port: 9007 });
    const step = await harbour.deploy({ images: mapOf({ "search-service": search }) });
    expect(verdictOf(step, "passed")).toBe("passed");
    expect(await harbour.images("Deployment", "search-service")).toEqual({
      "search-service": pinned(search),
    });
    // And the manifests take it over again, without a quarrel about who owns the image.
    const again = { ...setting({ ...images, "search-service": search }), only: ["services"] };
    const ran = await runJob(`${WORKFLOWS}/staging.yml`, "deploy", again);
    expect(endsOf(ran)).toEqual(["apply-manifests passed"]);
  }, 240_000);

  it("goes to production with its certificate, and its dashboards to monitoring", async () => {
    const ran = await runJob(`${WORKFLOWS}/production.yml`, "deploy", setting());
    expect(endsOf(ran)).toEqual([
      "apply-manifests passed",
      "smoke-test passed",
      "apply-manifests passed",
    ]);
    const { cluster } = harbour.box;
    const tls = await cluster.get({
      ...harbour.ref("Secret", "ml-platform-tls"),
      namespace: production,
    });
    expect((tls as { type?: string }).type).toBe("kubernetes.io/tls");
    const dashboards = await cluster.get({
      ...harbour.ref("ConfigMap", "ml-platform-dashboards"),
      namespace: monitoring,
    });
    expect(dashboards.metadata.labels).toMatchObject({ grafana_dashboard: "1" });
  }, 240_000);
});
