import { describe, expect, it } from "@jest/globals";
import { loadKubeconfig } from "../../../shared/kubernetes/kubeconfig.ts";
import { Secrets } from "../../../shared/secrets/index.ts";

const KEY = "-----BEGIN PRIVATE KEY-----\nbm90IGEgcmVhbCBrZXk=\n-----END PRIVATE KEY-----\n";
const config = {
  apiVersion: "v1",
  kind: "Config",
  "current-context": "blue",
  clusters: [
    { name: "blue", cluster: { server: "https://blue.example:6443" } },
    { name: "green", cluster: { server: "https://green.example:6443" } },
  ],
  users: [
    { name: "robot", user: { token: "t0ken-of-robot" } },
    { name: "admin", user: { "client-key-data": Buffer.from(KEY).toString("base64") } },
  ],
  contexts: [
    { name: "blue", context: { cluster: "blue", user: "robot", namespace: "shop" } },
    { name: "green", context: { cluster: "green", user: "admin" } },
  ],
};
const json = JSON.stringify(config);

function load(kubeconfig: string | undefined, context?: string, environment = {}) {
  const secrets = new Secrets();
  const loaded = loadKubeconfig({ kubeconfig, context }, { environment, secrets });
  return { loaded, secrets };
}

describe("a kubeconfig", () => {
  const yaml = `apiVersion: v1\nkind: Config\ncurrent-context: blue\nclusters: ${JSON.stringify(config.clusters)}\nusers: ${JSON.stringify(config.users)}\ncontexts: ${JSON.stringify(config.contexts)}\n`;

  it.each([
    ["JSON", json],
    ["YAML", yaml],
    ["base64", Buffer.from(json).toString("base64")],
    [
      "base64 in lines",
      Buffer.from(json)
        .toString("base64")
        .replace(/(.{76})/g, "$1\n"),
    ],
  ])("is read from %s", async (_, text) => {
    const kubeconfig = await load(text).loaded;
    expect(kubeconfig.server).toBe("https://blue.example:6443");
  });

  it("gives the context that was asked for", async () => {
    const kubeconfig = await load(json, "green").loaded;
    expect(kubeconfig.server).toBe("https://green.example:6443");
  });

  it("hides its tokens and keys", async () => {
    const { loaded, secrets } = load(json);
    await loaded;
    expect(secrets.redact("t0ken-of-robot")).toBe("***");
    expect(secrets.redact("line: bm90IGEgcmVhbCBrZXk=")).toBe("line: ***");
    expect(secrets.redact(Buffer.from(KEY).toString("base64"))).toBe("***");
  });

  it.each([
    ["an unknown context", json, "gren", "did you mean green?"],
    ["a path to nothing", "/no/such/file", undefined, "ENOENT"],
    ["text that is no YAML", "clusters: [\ntoken: s3cret", undefined, "is not a kubeconfig"],
    ["a list", "clusters: x\n- y", undefined, "is not a kubeconfig"],
    ["no context", "apiVersion: v1\nclusters: []\n", undefined, "It has no current context"],
  ])("says what is wrong with %s", async (_, text, context, words) => {
    await expect(load(text, context).loaded).rejects.toMatchObject({
      name: "UserError",
      cause: expect.stringContaining(words),
    });
  });

  it("never quotes a broken kubeconfig", async () => {
    const broken = "clusters: [\n  token: s3cret-value\n";
    await expect(load(broken).loaded).rejects.not.toMatchObject({
      message: expect.stringContaining("s3cret-value"),
    });
  });

  it("tells all the places it was looked for in", async () => {
    await expect(load(undefined, undefined, { HOME: "/nowhere" }).loaded).rejects.toMatchObject({
      title: "No cluster to talk to",
      cause: expect.stringContaining("/nowhere/.kube/config"),
    });
  });
});
