import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { KubernetesObject } from "../../../shared/kubernetes/index.ts";
import type { Pod } from "../../../shared/kubernetes/workload.ts";
import { bundleOf } from "../../runner/index.ts";
import { account, READER } from "../kubernetes/account.ts";
import { deployment, type Sandbox, sandbox } from "../kubernetes/sandbox.ts";

let box: Sandbox;
beforeAll(async () => {
  box = await sandbox("in-cluster");
});
afterAll(async () => box?.[Symbol.asyncDispose]());

/** The built action, small enough for a ConfigMap. */
function packedBundle(): string {
  const folder = dirname(bundleOf("rollout-wait"));
  const files = readdirSync(folder).filter((name) => /\.(js|json)$/.test(name));
  const texts = files.map((name) => [name, readFileSync(join(folder, name), "utf8")]);
  return gzipSync(JSON.stringify(Object.fromEntries(texts))).toString("base64");
}

const UNPACK = `
  const fs = require("node:fs");
  const packed = fs.readFileSync("/packed/bundle.gz");
  const files = JSON.parse(require("node:zlib").gunzipSync(packed).toString());
  fs.mkdirSync("/tmp/bundle");
  for (const [name, text] of Object.entries(files)) fs.writeFileSync("/tmp/bundle/" + name, text);
  import("/tmp/bundle/index.js");
`;

/** A runner in the cluster, as those who host their own have it. */
function runnerPod(more: object): KubernetesObject {
  const { namespace, endpoints } = box;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "runner", namespace },
    spec: {
      restartPolicy: "Never",
      serviceAccountName: "runner",
      containers: [
        {
          name: "main",
          image: endpoints.nodeImage,
          command: ["node", "-e", UNPACK],
          env: [{ name: "INPUT_RESOURCES", value: "deployment/web" }],
          volumeMounts: [{ name: "packed", mountPath: "/packed" }],
        },
      ],
      volumes: [{ name: "packed", configMap: { name: "packed" } }],
      ...more,
    },
  } as KubernetesObject;
}

async function endOf(name: string): Promise<{ phase: string; log: string }> {
  const ref = { apiVersion: "v1", kind: "Pod", namespace: box.namespace, name };
  for (;;) {
    const { status } = await box.cluster.get<Pod>(ref);
    if (status?.phase === "Succeeded" || status?.phase === "Failed") {
      const log = await box.cluster.logs({ namespace: box.namespace, pod: name });
      return { phase: status.phase, log };
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

describe("a runner inside of the cluster", () => {
  it("signs in by its service account, and looks in its own namespace", async () => {
    const { cluster, namespace } = box;
    await account(box, "runner", READER);
    await cluster.create({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "packed", namespace },
      binaryData: { "bundle.gz": packedBundle() },
    } as KubernetesObject);
    await cluster.apply(deployment(box, "web"));
    await cluster.create(runnerPod({}));
    const { phase, log } = await endOf("runner");
    expect(log).toContain(`in namespace ${namespace}`);
    expect(log).toContain("All ready");
    expect(phase).toBe("Succeeded");
    await cluster.delete(
      { apiVersion: "v1", kind: "Pod", namespace, name: "runner" },
      { gracePeriodSeconds: 0 },
    );
    await cluster.create(runnerPod({ automountServiceAccountToken: false }));
    const blind = await endOf("runner");
    expect(blind.phase).toBe("Failed");
    expect(blind.log).toContain("automountServiceAccountToken: true");
  }, 120_000);
});
