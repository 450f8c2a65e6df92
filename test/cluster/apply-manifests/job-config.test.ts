import { describe, expect, it } from "@jest/globals";
import { bundleOf, Runner, runStep } from "../../runner/index.ts";
import { CERTIFICATE, KEY, OTHER_KEY } from "../../unit/job-config/certificates.ts";
import { Harbour, verdictOf } from "./harbour.ts";

/** What a password may look like that somebody chose with care. */
const HOSTILE = "p\"a'ss: #word$HOME `id` %0A\n---\nkind: [x, {y: *z}]\n::error::gotcha\n\ttail\\n";

type Held = { readonly data?: Readonly<Record<string, string>>; readonly type?: string };

async function contents(harbour: Harbour, kind: "Secret" | "ConfigMap", name: string) {
  const object = (await harbour.box.cluster.get(harbour.ref(kind, name))) as Held;
  const decoded = Object.entries(object.data ?? {}).map(([key, value]) => [
    key,
    kind === "Secret" ? Buffer.from(value, "base64").toString() : value,
  ]);
  return Object.fromEntries(decoded) as Record<string, string>;
}

/** Pods that sleep, and read what the second part says. */
function sleeper(harbour: Harbour, name: string, reads: object, command = ["sleep", "1000"]) {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: harbour.namespace },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: 0,
          containers: [
            { name: "main", image: harbour.box.endpoints.busyboxImage, command, ...reads },
          ],
        },
      },
    },
  };
}

const READS = { envFrom: [{ secretRef: { name: "app-secrets" } }] };
const READS_CONFIG = {
  env: [{ name: "L", valueFrom: { configMapKeyRef: { name: "app-config", key: "LEVEL" } } }],
};

describe("Secrets and ConfigMaps from the job", () => {
  it.concurrent("reach the pods that read them, whatever they hold, and no others, and are seen nowhere", async () => {
    await using harbour = await Harbour.open("config");
    const objects = [
      sleeper(harbour, "reader", READS),
      sleeper(harbour, "other", READS_CONFIG),
      sleeper(harbour, "neither", {}),
    ];
    const content = objects.map((object) => JSON.stringify(object)).join("\n---\n");
    const inputs = {
      name: "shop",
      content,
      secrets:
        "app-secrets:\n  from-env: { PASSWORD: SHOP_PASSWORD }\n  literals: |\n    SALT=it's: #1 $x\\n\n",
      "config-maps": "app-config:\n  literals: { LEVEL: info }",
    };
    const first = await harbour.deploy(inputs, { SHOP_PASSWORD: HOSTILE });
    expect(verdictOf(first, "passed")).toBe("passed");
    expect(await contents(harbour, "Secret", "app-secrets")).toEqual({
      PASSWORD: HOSTILE,
      SALT: "it's: #1 $x\\n",
    });
    const seen = JSON.stringify([
      first.lines.filter((line) => !line.startsWith("::add-mask::")),
      first.stderr,
      first.outputs,
      first.summary,
    ]);
    for (const piece of [
      "p\\\"a'ss",
      "word$HOME",
      "gotcha",
      "it's: #1",
      Buffer.from(HOSTILE).toString("base64").slice(4, 40),
    ]) {
      expect(seen).not.toContain(piece);
    }

    const generations = async () =>
      Promise.all(
        ["reader", "other", "neither"].map((name) => harbour.generation("Deployment", name)),
      );
    const version = async () =>
      (await harbour.box.cluster.get(harbour.ref("Secret", "app-secrets"))).metadata
        .resourceVersion;
    const [before, held] = [await generations(), await version()];
    const same = await harbour.deploy(inputs, { SHOP_PASSWORD: HOSTILE });
    expect(verdictOf(same, "passed")).toBe("passed");
    expect(same.outputs.changed).toBe("0");
    expect([await generations(), await version()]).toEqual([before, held]);

    const [reader = 0, ...rest] = before;
    const changed = await harbour.deploy(inputs, { SHOP_PASSWORD: "another-password" });
    expect(verdictOf(changed, "passed")).toBe("passed");
    expect(await generations()).toEqual([reader + 1, ...rest]);
    expect(JSON.stringify(await harbour.live("Deployment", "reader"))).not.toMatch(
      /another-password|YW5vdGhlci1/,
    );

    // Without the config this time: nothing of it is taken away from the pods.
    const bare = await harbour.deploy({ name: "shop", content, prune: "false" });
    expect([bare.exitCode, await generations()]).toEqual([0, [reader + 1, ...rest]]);
  }, 240_000);

  it.concurrent("come back with what they held when a deploy fails", async () => {
    await using harbour = await Harbour.open("back");
    const { cluster } = harbour.box;
    await cluster.create(
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "app-secrets", namespace: harbour.namespace },
        data: { TOKEN: Buffer.from("good").toString("base64") },
      } as never,
      { fieldManager: "kubectl-create" },
    );
    const picky = ["sh", "-c", "[ $TOKEN = good ] && exec sleep 1000; echo bad token >&2; exit 4"];
    await harbour.create(sleeper(harbour, "reader", READS, picky), sleeper(harbour, "neither", {}));
    const neither = await harbour.generation("Deployment", "neither");
    const inputs = {
      secrets: "app-secrets: { from-env: TOKEN }",
      "roll-workloads": "live",
      "restarts-allowed": "1",
    };
    const bad = await harbour.deploy(inputs, { TOKEN: "wrong-token" });
    expect(verdictOf(bad, "failed")).toBe("failed");
    expect(bad.stdout).toMatch(/which is healthy/);
    expect(bad.outputs.cause).toMatch(
      /deployment\/reader: container "main" .* exit code 4.*bad token/,
    );
    expect(await contents(harbour, "Secret", "app-secrets")).toEqual({ TOKEN: "good" });
    expect(
      (await harbour.live("Deployment", "reader")).spec.template.metadata.annotations ?? {},
    ).toEqual({});
    expect(await harbour.generation("Deployment", "neither")).toBe(neither);
  }, 240_000);

  it.concurrent("are made alone, of every kind, and checked before anything is", async () => {
    await using harbour = await Harbour.open("alone");
    await using runner = await Runner.create({
      "config/app.env": "A=1\nB=two words\n",
      "dash/one.json": "{}",
      "tls.crt": CERTIFICATE,
      "tls.key": KEY,
    });
    const inputs = {
      secrets: [
        "registry: { type: docker-registry, server: ghcr.io, username: me, password-env: TOKEN }",
        "site-tls: { type: tls, cert: tls.crt, key: tls.key }",
        "fixed: { from-env: TOKEN, immutable: true }",
      ].join("\n"),
      "config-maps":
        "settings: { env-file: config/app.env }\ndashboards: { files: dash, labels: { grafana_dashboard: 1 } }",
    };
    const step = await harbour.deploy(inputs, { TOKEN: "t0ken-value" }, runner);
    expect(verdictOf(step, "passed")).toBe("passed");
    expect(await contents(harbour, "ConfigMap", "settings")).toEqual({ A: "1", B: "two words" });
    expect((await contents(harbour, "Secret", "site-tls"))["tls.key"]).toBe(KEY);
    const { ".dockerconfigjson": config = "" } = await contents(harbour, "Secret", "registry");
    expect(JSON.parse(config).auths["ghcr.io"].password).toBe("t0ken-value");
    const { labels } = (await harbour.box.cluster.get(harbour.ref("ConfigMap", "dashboards")))
      .metadata;
    expect(labels).toMatchObject({ grafana_dashboard: "1" });

    const refused = async (secrets: string, environment: Record<string, string>) =>
      (await harbour.deploy({ secrets }, environment)).outputs.cause;
    const [fixed, empty, unset, mismatch] = await Promise.all([
      refused("fixed: { from-env: TOKEN, immutable: true }", { TOKEN: "another" }),
      refused("new: { from-env: NOT_SET_IN_REPO }", { NOT_SET_IN_REPO: "" }),
      refused("new: { from-env: MISSING }", { OTHER: "x" }),
      refused("new: { type: tls, from-env: { tls.crt: C, tls.key: K } }", {
        C: CERTIFICATE,
        K: OTHER_KEY,
      }),
    ]);
    expect(fixed).toMatch(/secret\/fixed: it is immutable in the cluster/);
    expect(empty).toMatch(/the value of NOT_SET_IN_REPO is empty, as a secret is that is not set/);
    expect(unset).toMatch(/the variable MISSING is not set/);
    expect(mismatch).toMatch(/does not belong to the key/);
    await expect(harbour.box.cluster.get(harbour.ref("Secret", "new"))).rejects.toThrow();
  }, 240_000);

  it.concurrent("are refused without a word of theirs when a value breaks the YAML", async () => {
    const secret = 's3cr: et}\n*value: ["';
    const step = await runStep(bundleOf("apply-manifests"), {
      inputs: { namespace: "x", secrets: `app:\n  literals:\n    KEY: ${secret}` },
    });
    expect(step.exitCode).toBe(1);
    expect(step.outputs.cause).toMatch(/secrets: got a secret value; it is no valid YAML at line/);
    const seen = step.lines.filter((line) => !line.startsWith("::add-mask::")).join("\n");
    expect(`${seen}${step.summary}${step.outputs.cause}`).not.toMatch(/s3cr|et\}|\*value/);
  }, 60_000);
});
