import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type ExecConfig, runPlugin } from "../../../shared/kubernetes/exec-plugin.ts";
import {
  type Cluster,
  connect,
  type KubernetesObject,
  openPortForward,
} from "../../../shared/kubernetes/index.ts";
import { Secrets } from "../../../shared/secrets/index.ts";
import { connectProxy } from "./connect-proxy.ts";
import { type Sandbox, sandbox, testWorld } from "./sandbox.ts";

const run = promisify(execFile);

let box: Sandbox;
let folder: string;
let token: string;
beforeAll(async () => {
  box = await sandbox("credentials");
  folder = await mkdtemp(join(tmpdir(), "credentials-"));
  const metadata = { name: "robot", namespace: box.namespace };
  await box.cluster.create({ apiVersion: "v1", kind: "ServiceAccount", metadata });
  token = await kubectl(["create", "token", "robot", "-n", box.namespace]);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await box?.[Symbol.asyncDispose]();
});

async function kubectl(args: readonly string[]): Promise<string> {
  const { bin, kubeconfig } = box.endpoints;
  const { stdout } = await run(join(bin, "kubectl"), ["--kubeconfig", kubeconfig, ...args]);
  return stdout.trim();
}

interface Config {
  clusters: { name: string; cluster: Record<string, unknown> }[];
  users: { name: string; user: Record<string, unknown> }[];
  contexts: unknown[];
}

/** The test bed's kubeconfig, with another user, and with changes to the cluster. */
async function configOf(
  user: object | undefined,
  cluster: Readonly<Record<string, unknown>> = {},
): Promise<Config> {
  const config = JSON.parse(await readFile(box.endpoints.kubeconfig, "utf8")) as Config;
  for (const entry of config.clusters) Object.assign(entry.cluster, cluster);
  if (user !== undefined) for (const entry of config.users) entry.user = { ...user };
  return config;
}

async function signIn(
  config: Config | string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Cluster & { redact: (text: string) => string }> {
  const { world } = testWorld();
  const kubeconfig = typeof config === "string" ? config : JSON.stringify(config);
  const cluster = await connect(
    { kubeconfig },
    { ...world, environment: { ...world.environment, ...environment } },
  );
  return Object.assign(cluster, { redact: (text: string) => world.secrets.redact(text) });
}

/** Whom the API server takes one for. */
async function whoAmI(cluster: Cluster) {
  const review = {
    apiVersion: "authentication.k8s.io/v1",
    kind: "SelfSubjectReview",
    metadata: {},
  } as KubernetesObject;
  const { status } = (await cluster.create(review)) as unknown as {
    status: {
      userInfo: { username: string; uid?: string; groups?: string[]; extra?: object };
    };
  };
  return status.userInfo;
}

const robot = () => `system:serviceaccount:${box.namespace}:robot`;

/** A credential plugin: a shell script that counts its runs. */
async function plugin(script: string, more: object = {}): Promise<{ user: object; runs: string }> {
  const name = join(folder, `plugin-${Math.random().toString(36).slice(2)}`);
  const runs = `${name}.runs`;
  await writeFile(runs, "");
  await writeFile(name, `#!/bin/sh\necho run >> ${runs}\n${script}\n`, { mode: 0o755 });
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: name,
    interactiveMode: "Never",
    ...more,
  };
  return { user: { exec }, runs };
}

const credential = (status: object, apiVersion = "client.authentication.k8s.io/v1") =>
  JSON.stringify({ apiVersion, kind: "ExecCredential", status });
const countOf = async (file: string) => (await readFile(file, "utf8")).split("\n").length - 1;

describe("a credential plugin", () => {
  it("is asked once for all who wait, and again when what it gave has run out", async () => {
    const soon = "$(date -u -d '+2 seconds' +%Y-%m-%dT%H:%M:%SZ)";
    const answer = credential({ token, expirationTimestamp: "SOON" });
    const { user, runs } = await plugin(
      `sleep 0.2; printf '%s' '${answer}' | sed "s/SOON/${soon}/"`,
    );
    const cluster = await signIn(await configOf(user));
    const names = await Promise.all([1, 2, 3, 4].map(() => whoAmI(cluster)));
    expect(names.map(({ username }) => username)).toEqual(Array(4).fill(robot()));
    expect(await countOf(runs)).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    await whoAmI(cluster);
    expect(await countOf(runs)).toBe(2);
    expect(cluster.redact(token)).toBe("***");
  });

  it("is asked anew when the API server no longer takes what it gave", async () => {
    const { user, runs } = await plugin(
      `[ $(wc -l < $0.runs) -gt 1 ] && t='${token}' || t=revoked; printf '%s' '${credential({ token: "TOKEN" })}' | sed "s/TOKEN/$t/"`,
    );
    const cluster = await signIn(await configOf(user));
    expect((await whoAmI(cluster)).username).toBe(robot());
    expect(await countOf(runs)).toBe(2);
  });

  it("may give a client certificate", async () => {
    const { users } = await configOf(undefined);
    const pem = (field: string) => Buffer.from(String(users[0]?.user[field]), "base64").toString();
    const status = {
      clientCertificateData: pem("client-certificate-data"),
      clientKeyData: pem("client-key-data"),
    };
    const file = join(folder, "certificate.json");
    await writeFile(file, credential(status));
    const { user } = await plugin(`cat ${file}`);
    const { username } = await whoAmI(await signIn(await configOf(user)));
    expect(username).toBe((await whoAmI(box.cluster)).username);
  });

  it("hears what it needs: arguments, variables, the cluster", async () => {
    const answer = credential({ token: "TOKEN" });
    const { user } = await plugin(
      `echo "$KUBERNETES_EXEC_INFO" > $0.info; printf '%s' '${answer}' | sed "s/TOKEN/$1$REST/"`,
      {
        args: [token.slice(0, 20)],
        env: [{ name: "REST", value: token.slice(20) }],
        provideClusterInfo: true,
      },
    );
    const cluster = await signIn(await configOf(user));
    expect((await whoAmI(cluster)).username).toBe(robot());
    const { exec } = user as { exec: { command: string } };
    const info = JSON.parse(await readFile(`${exec.command}.info`, "utf8"));
    expect(info).toMatchObject({
      kind: "ExecCredential",
      spec: {
        interactive: false,
        cluster: { server: cluster.server, "certificate-authority-data": expect.any(String) },
      },
    });
  });

  it("is found beside the kubeconfig that names it by a path", async () => {
    const { user } = await plugin(`printf '%s' '${credential({ token })}'`);
    const { exec } = user as { exec: { command: string } };
    const command = `.${exec.command.slice(folder.length)}`;
    const file = join(folder, "beside.kubeconfig");
    await writeFile(file, JSON.stringify(await configOf({ exec: { ...exec, command } })));
    expect((await whoAmI(await signIn(file))).username).toBe(robot());
  });

  it.each([
    [
      "fails",
      "echo 'Unable to locate credentials' >&2; exit 255",
      {},
      { cause: /plugin-\w+ of the kubeconfig failed with exit status 255: Unable to locate/ },
    ],
    ["prints nothing", "true", {}, { cause: /ended well, but printed nothing/ }],
    ["prints no JSON", "echo hello", {}, { cause: /what it printed is no JSON/ }],
    ["gives nothing", `echo '${credential({})}'`, {}, { cause: /neither a token nor a client/ }],
    [
      "speaks another version",
      `echo '${credential({ token: "x" }, "client.authentication.k8s.io/v1beta1")}'`,
      {},
      { cause: /it speaks client.authentication.k8s.io\/v1beta1/ },
    ],
    [
      "is of an age that is over",
      "true",
      { apiVersion: "client.authentication.k8s.io/v1alpha1" },
      { cause: /v1alpha1, and Kubernetes knows/ },
    ],
    ["wants a person", "true", { interactiveMode: "Always" }, { cause: /nobody sits at a job/ }],
    [
      "is missing",
      "",
      { command: "no-such-plugin", installHint: "Get it from the harbour master." },
      {
        cause: /no-such-plugin.* is not on this runner/,
        remedy: /^Get it from the harbour master/,
      },
    ],
    [
      "is EKS's, and missing",
      "",
      { command: "/none/aws" },
      { remedy: /aws-actions\/configure-aws-credentials/ },
    ],
  ])("that %s is told as such", async (_, script, more, words) => {
    const { user } = await plugin(script, more);
    const cluster = await signIn(await configOf(user));
    const error = await whoAmI(cluster).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ title: "No credentials for the cluster" });
    for (const [part, pattern] of Object.entries(words)) {
      expect((error as Record<string, string>)[part]).toMatch(pattern);
    }
  });
});

describe("a credential plugin that hangs", () => {
  const setting = async (patience: number, signal: AbortSignal) => {
    const { user } = await plugin("echo 'Enter the code' >&2; sleep 60");
    const { exec } = user as { exec: ExecConfig };
    const { server } = box.cluster;
    return { exec, cluster: { server }, folder, secrets: new Secrets(), signal, patience };
  };

  it("is ended, and told as such", async () => {
    const endless = new AbortController().signal;
    await expect(runPlugin(await setting(300, endless))).rejects.toMatchObject({
      cause: expect.stringMatching(
        /gave no answer in time.*it may wait for somebody.*Enter the code/,
      ),
      evidence: "Enter the code",
    });
  });

  it("holds up nobody who is told to stop", async () => {
    const began = Date.now();
    const stop = AbortSignal.timeout(200);
    await expect(runPlugin(await setting(60_000, stop))).rejects.toMatchObject({
      name: "TimeoutError",
    });
    expect(Date.now() - began).toBeLessThan(4_000);
  });
});

describe("a file that holds the token", () => {
  it("is read again when the API server does not take what it held", async () => {
    const tokenFile = join(folder, "token");
    await writeFile(tokenFile, "a-token-of-yesterday");
    const cluster = await signIn(await configOf({ tokenFile }));
    await expect(whoAmI(cluster)).rejects.toMatchObject({ status: 401 });
    await writeFile(tokenFile, `${token}\n`);
    expect((await whoAmI(cluster)).username).toBe(robot());
    expect(cluster.redact(token)).toBe("***");
  });

  it("that is not there is named", async () => {
    const cluster = await signIn(await configOf({ tokenFile: "/none/token" }));
    await expect(cluster.version()).rejects.toMatchObject({
      cause: expect.stringContaining("/none/token"),
    });
  });
});

describe("impersonation", () => {
  const jane = {
    as: "jane",
    "as-uid": "42",
    "as-groups": ["dev", "on call"],
    "as-user-extra": { "example.com/reason": ["release", "night"], Scope: ["shop"] },
  };

  it("goes with every request, in full", async () => {
    const { users } = await configOf(undefined);
    const cluster = await signIn(await configOf({ ...users[0]?.user, ...jane }));
    expect(await whoAmI(cluster)).toMatchObject({
      username: "jane",
      uid: "42",
      groups: ["dev", "on call", "system:authenticated"],
      extra: { "example.com/reason": ["release", "night"], scope: ["shop"] },
    });
  });

  it("goes with watches and port-forwards, too", async () => {
    const { users } = await configOf(undefined);
    const cluster = await signIn(await configOf({ ...users[0]?.user, ...jane }));
    const { namespace } = box;
    const watch = cluster.watch({ apiVersion: "v1", kind: "Pod", namespace }, "0");
    await expect(watch.next()).rejects.toMatchObject({
      cause: expect.stringContaining("jane may not watch pods"),
    });
    const forward = { namespace, pod: "none", port: 80 };
    await expect(
      openPortForward(cluster, forward, new AbortController().signal),
    ).rejects.toMatchObject({ cause: expect.stringContaining("jane may not") });
  });
});

describe("the way to the API server", () => {
  it("leads through the kubeconfig's proxy, with its password", async () => {
    await using proxy = await connectProxy("harbour:s3cret-word");
    const { users } = await configOf(undefined);
    const cluster = await signIn(await configOf(users[0]?.user, { "proxy-url": proxy.url }));
    await cluster.version();
    expect(proxy.tunnels).toEqual([new URL(cluster.server).host]);
    expect(cluster.redact("s3cret-word")).toBe("***");
  });

  it("leads through the environment's proxy, but where NO_PROXY says otherwise", async () => {
    await using proxy = await connectProxy();
    const config = await configOf(undefined);
    const everywhere = { HTTPS_PROXY: proxy.url, NO_PROXY: "", no_proxy: "" };
    const through = await signIn(config, everywhere);
    await through.version();
    expect(proxy.tunnels).toHaveLength(1);
    const past = await signIn(config, { ...everywhere, NO_PROXY: ".example,10.0.0.0/8" });
    await past.version();
    expect(proxy.tunnels).toHaveLength(1);
  });

  it("names the proxy that does not let one through", async () => {
    await using proxy = await connectProxy("harbour:right");
    const url = proxy.url.replace("right", "wrong");
    const cluster = await signIn(await configOf(undefined, { "proxy-url": url }));
    await expect(cluster.version()).rejects.toMatchObject({
      cause: expect.stringMatching(/through the proxy 127\.0\.0\.1:\d+\): .*407/),
    });
  });

  it("may be verified by another name, or not at all", async () => {
    const good = await signIn(await configOf(undefined, { "tls-server-name": "kubernetes" }));
    expect(await good.version()).toMatch(/^v1/);
    const bad = await signIn(await configOf(undefined, { "tls-server-name": "elsewhere.example" }));
    await expect(bad.version()).rejects.toMatchObject({
      title: "No secure connection to the cluster",
      cause: expect.stringContaining("elsewhere.example"),
    });
    const blind = { "certificate-authority-data": undefined, "insecure-skip-tls-verify": true };
    expect(await (await signIn(await configOf(undefined, blind))).version()).toMatch(/^v1/);
  });

  it("may be plain HTTP, as kubectl proxy gives it", async () => {
    const { bin, kubeconfig } = box.endpoints;
    const child = spawn(join(bin, "kubectl"), ["--kubeconfig", kubeconfig, "proxy", "--port=0"]);
    try {
      const [chunk] = await once(child.stdout, "data");
      const server = `http://${/127\.0\.0\.1:\d+/.exec(String(chunk))?.[0]}`;
      const plain = { server, "certificate-authority-data": undefined };
      const cluster = await signIn(await configOf({}, plain));
      expect(await cluster.version()).toMatch(/^v1/);
    } finally {
      child.kill();
    }
  });
});

describe("a kubeconfig", () => {
  it("may be spread over files, some of which do not exist", async () => {
    const { clusters, users, contexts, ...rest } = await configOf(undefined);
    const parts = {
      "one.kubeconfig": { ...rest, clusters },
      "two.kubeconfig": { users, contexts },
    };
    for (const [name, part] of Object.entries(parts)) {
      await writeFile(join(folder, name), JSON.stringify(part));
    }
    const files = ["none", ...Object.keys(parts)].map((name) => join(folder, name));
    const { world } = testWorld();
    const cluster = await connect(
      {},
      { ...world, environment: { ...world.environment, KUBECONFIG: files.join(":") } },
    );
    expect(await cluster.version()).toMatch(/^v1/);
  });

  it("may hold a name and a password, which API servers of today take no note of", async () => {
    const cluster = await signIn(await configOf({ username: "captain", password: "ahoy-there" }));
    await expect(whoAmI(cluster)).rejects.toMatchObject({
      cause: expect.stringContaining("anonymous"),
    });
    expect(cluster.redact("ahoy-there")).toBe("***");
  });

  it("says when its token ran out", async () => {
    const claims = Buffer.from(JSON.stringify({ exp: 1_600_000_000 })).toString("base64url");
    const cluster = await signIn(await configOf({ token: `e30.${claims}.c2ln` }));
    await expect(cluster.version()).rejects.toMatchObject({
      cause: expect.stringContaining("The token ran out at 2020-09-13T12:26:40.000Z"),
    });
  });
});
