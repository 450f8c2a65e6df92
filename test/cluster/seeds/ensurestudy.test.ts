import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { Runner } from "../../runner/index.ts";
import { Harbour, mapOf, pinned } from "../apply-manifests/harbour.ts";
import type { ServiceImage } from "../workload-images/service-image.ts";
import { endsOf, filesOf, type JobSetting, runJob } from "./workflow-job.ts";

const EXAMPLE = "examples/ensurestudy";
const WORKFLOWS = `${EXAMPLE}/.github/workflows`;
const SERVICES = {
  "core-service": {
    port: 5000,
    files: { health: '{"status":"healthy"}', ready: '{"status":"ready"}' },
  },
  "ai-service": { port: 8000, files: { health: '{"status":"healthy"}' } },
  frontend: { port: 3000, files: { "index.html": "<h1>Ensurestudy</h1>" } },
};
type Service = keyof typeof SERVICES;
const NAMES = Object.keys(SERVICES) as readonly Service[];

let harbour: Harbour;
let runner: Runner;
let first: Readonly<Record<Service, ServiceImage>>;

/** Images of all three services, as the job before the deploy builds them. */
async function build(tag: string): Promise<typeof first> {
  const built = NAMES.map(
    async (name) => [name, await harbour.image(name, tag, SERVICES[name])] as const,
  );
  return Object.fromEntries(await Promise.all(built)) as typeof first;
}

function setting(images: Readonly<Record<string, ServiceImage>>): JobSetting {
  return {
    runner,
    expressions: {
      "needs.build.outputs.images": mapOf(images),
      "inputs.images": mapOf(images),
      "secrets.KUBE_CONFIG": harbour.box.endpoints.kubeconfig,
      "secrets.DATABASE_URL": 'postgresql://user:p"a$s#1@postgres:5432/ensurestudy',
      "secrets.HUGGINGFACE_API_KEY": "hf_0123456789",
    },
    words: [["ensurestudy", harbour.namespace]],
    // It needs a metrics server and an Ingress controller.
    without: ["edge"],
  };
}

beforeAll(async () => {
  harbour = await Harbour.open("ensurestudy");
  const rename = (text: string) => text.replaceAll("ensurestudy", harbour.namespace);
  runner = await Runner.create(await filesOf(EXAMPLE, rename));
  first = await build("v1");
});
afterAll(async () => {
  await runner?.[Symbol.asyncDispose]();
  await harbour?.[Symbol.asyncDispose]();
});

describe("ensurestudy", () => {
  it("is set up from its manifests and the repository's secrets", async () => {
    const ran = await runJob(`${WORKFLOWS}/platform.yml`, "apply", setting(first));
    expect(endsOf(ran)).toEqual(["apply-manifests passed"]);
    expect(await harbour.images("Deployment", "core-service")).toEqual({
      "core-service": pinned(first["core-service"]),
    });
  }, 240_000);

  it("has the images of its three services set, waited for, and is asked how it does", async () => {
    const images = await build("v2");
    const ran = await runJob(`${WORKFLOWS}/deploy.yml`, "deploy", setting(images));
    expect(endsOf(ran)).toEqual([
      "apply-manifests passed",
      "smoke-test passed",
      "smoke-test passed",
      "smoke-test passed",
    ]);
    for (const name of NAMES) {
      expect(await harbour.images("Deployment", name)).toEqual({ [name]: pinned(images[name]) });
    }
    first = images;
  }, 240_000);

  it("keeps all three as they were when one of the new ones does not start", async () => {
    const images = {
      ...(await build("v3")),
      "ai-service": { ...first["ai-service"], digest: `sha256:${"0".repeat(64)}` },
    };
    const ran = await runJob(`${WORKFLOWS}/deploy.yml`, "deploy", setting(images));
    expect(ran.map(({ step }) => step.outputs.verdict)).toEqual(["failed"]);
    expect(ran[0]?.step.outputs.cause).toMatch(
      /deployment\/ai-service: .*image.*(not found|does not exist)/,
    );
    for (const name of NAMES) {
      expect(await harbour.images("Deployment", name)).toEqual({ [name]: pinned(first[name]) });
    }
    expect(ran[0]?.step.outputs).toMatchObject({ "rolled-back": "true", "users-hurt": "no" });
  }, 240_000);
});
