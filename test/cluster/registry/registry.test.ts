import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { type Credentials, proveImage, Registry } from "../../../shared/registry/index.ts";
import { Secrets } from "../../../shared/secrets/index.ts";
import type { Clock } from "../../../shared/world/index.ts";
import { up } from "../../testbed/index.ts";
import { challenge, type Fault, FaultRegistry, tokenRules } from "./fault-registry.ts";

jest.setTimeout(30_000);

let real: string;
const path = "testbed/busybox";
const tag = "1";
const { signal } = new AbortController();
const me: Credentials = { kind: "password", username: "me", password: "pass-word" };
const open: Registry[] = [];

beforeAll(async () => {
  real = (await up(["registry", "busybox-image", "pause-image"])).registry;
}, 30 * 60_000);

afterAll(() => {
  for (const registry of open) registry[Symbol.dispose]();
});

/** A clock that does not wait, and remembers how long it should have. */
function quickClock(): Clock & { readonly slept: number[] } {
  const slept: number[] = [];
  return {
    slept,
    now: () => Date.now(),
    sleep: async (milliseconds) => void slept.push(milliseconds),
  };
}

function client(host: string, credentials?: Credentials) {
  const clock = quickClock();
  const secrets = new Secrets();
  const registry = new Registry({ host, credentials, secrets, clock, environment: {} });
  open.push(registry);
  return { registry, clock, secrets };
}

async function digestOf(repository: string): Promise<string> {
  return (await client(real).registry.digestOf(repository, tag, signal)) ?? "";
}

function placeAt(host: string, platforms: readonly string[] = [], reference: string = tag) {
  return { repository: { host, path }, reference, platforms };
}

describe("the real registry", () => {
  it("lets itself be asked, and says what it has and has not", async () => {
    const { registry } = client(real);
    await registry.checkAccess(path, signal);
    const stored = await registry.manifest(path, tag, signal);
    expect(await registry.digestOf(path, tag, signal)).toBe(stored?.digest);
    expect(await registry.manifest(path, "no-such-tag", signal)).toBeUndefined();
    expect(await registry.digestOf(path, "no-such-tag", signal)).toBeUndefined();
    expect(await registry.hasBlob(path, `sha256:${"0".repeat(64)}`, signal)).toBe(false);
  });

  it("attests a whole image", async () => {
    const { registry, clock } = client(real);
    const digest = await digestOf(path);
    const place = placeAt(real, ["linux/amd64"]);
    const proven = await proveImage(place, registry, clock, signal);
    expect(proven).toMatchObject({
      repository: `${real}/${path}`,
      digest,
      reference: `${real}/${path}@${digest}`,
      platforms: ["linux/amd64"],
      images: [{ platform: "linux/amd64", layers: [expect.anything()] }],
    });
    expect(proven.size).toBeGreaterThan(100_000);
    expect(clock.slept).toEqual([]);
  });

  it("does not attest an image that lacks a platform", async () => {
    const { registry, clock } = client(real);
    const place = placeAt(real, ["linux/amd64", "linux/s390x"]);
    await expect(proveImage(place, registry, clock, signal)).rejects.toMatchObject({
      cause: expect.stringMatching(/linux\/s390x is missing/),
    });
  });

  it("does not attest a tag that is not there, after some patience", async () => {
    const { registry, clock } = client(real);
    const absent = placeAt(real, [], "no-such-tag");
    await expect(proveImage(absent, registry, clock, signal)).rejects.toMatchObject({
      cause: expect.stringMatching(/no tag no-such-tag/),
    });
    expect(clock.slept.length).toBeGreaterThan(1);
  });
});

describe("a registry that misbehaves", () => {
  it.each<[string, Fault, number]>([
    ["answers 503", { status: 503 }, 250],
    ["answers 500", { status: 500 }, 250],
    ["asks for patience", { status: 429, headers: { "retry-after": "3" } }, 3_000],
    ["breaks the connection", "reset", 250],
  ])("and at first %s is asked again", async (_, fault, pause) => {
    await using faulty = await FaultRegistry.start(real, (_asked, before) =>
      before.length < 2 ? fault : undefined,
    );
    const { registry, clock } = client(faulty.host);
    expect(await registry.digestOf(path, tag, signal)).toBe(await digestOf(path));
    expect(faulty.asked).toHaveLength(3);
    expect(clock.slept[0]).toBeGreaterThanOrEqual(0.75 * pause);
    expect(clock.slept[0]).toBeLessThanOrEqual(1.25 * pause);
  });

  it.each<[string, Fault, RegExp]>([
    [
      "500",
      { status: 500, body: '{"errors":[{"code":"UNKNOWN","message":"out of luck"}]}' },
      /answered 500, in its words: UNKNOWN: out of luck/,
    ],
    ["broken connections", "reset", /ECONNRESET|socket hang up/],
  ])("for good is given up, with its %s", async (_, fault, cause) => {
    await using faulty = await FaultRegistry.start(real, () => fault);
    const { registry } = client(faulty.host);
    await expect(registry.manifest(path, tag, signal)).rejects.toMatchObject({
      name: "UserError",
      cause: expect.stringMatching(cause),
    });
    expect(faulty.asked).toHaveLength(4);
  });

  it.each([401, 403])("with %s is not asked again", async (status) => {
    await using faulty = await FaultRegistry.start(real, () => ({ status }));
    const { registry, clock } = client(faulty.host);
    await expect(registry.checkAccess(path, signal)).rejects.toMatchObject({
      cause: expect.stringMatching(`${status}.*repository:${path}:pull,push`),
    });
    expect(faulty.asked).toHaveLength(1);
    expect(clock.slept).toEqual([]);
  });

  it("and answers everything with a web page is none", async () => {
    const page = { status: 200, headers: { "content-type": "text/html" }, body: "<html>" };
    await using faulty = await FaultRegistry.start(real, () => page);
    const { registry } = client(faulty.host);
    await expect(registry.checkAccess(path, signal)).rejects.toMatchObject({
      title: `${faulty.host} is no registry`,
      cause: `GET http://${faulty.host}/v2/ was answered with a web page.`,
    });
  });

  it("and reports a digest that its bytes do not have is not believed", async () => {
    const wrong = `sha256:${"2".repeat(64)}`;
    await using faulty = await FaultRegistry.start(real, () => {
      return { status: 200, headers: { "docker-content-digest": wrong }, body: "{}" };
    });
    const { registry } = client(faulty.host);
    await expect(registry.manifest(path, tag, signal)).rejects.toMatchObject({
      title: "The registry contradicts itself",
      cause: expect.stringContaining(wrong),
    });
  });

  it("and serves another image under a digest is found out, both digests named", async () => {
    const digest = await digestOf(path);
    await using faulty = await FaultRegistry.start(real, ({ url }) =>
      url.includes(digest) ? { path: `/v2/testbed/pause/manifests/1` } : undefined,
    );
    const { registry, clock } = client(faulty.host);
    const asked = proveImage(placeAt(faulty.host, [], digest), registry, clock, signal);
    await expect(asked).rejects.toMatchObject({
      title: "The registry contradicts itself",
      cause: expect.stringMatching(
        new RegExp(`reports ${digest} for ${digest}, but what it sends has sha256:[0-9a-f]{64}`),
      ),
    });
  });

  it("and lost a layer is found out", async () => {
    await using faulty = await FaultRegistry.start(real, ({ method, url }) =>
      method === "HEAD" && url.includes("/blobs/") ? { status: 404 } : undefined,
    );
    const { registry, clock } = client(faulty.host);
    const asked = proveImage(placeAt(faulty.host), registry, clock, signal);
    await expect(asked).rejects.toMatchObject({
      title: "The registry lacks what was pushed",
      cause: expect.stringMatching(/no layer or configuration sha256:/),
    });
  });

  it("is left alone at once when the job is cancelled", async () => {
    await using faulty = await FaultRegistry.start(real, () => ({ status: 503 }));
    const registry = new Registry({
      host: faulty.host,
      credentials: undefined,
      secrets: new Secrets(),
      clock: { now: Date.now, sleep: async (_, aborted) => aborted?.throwIfAborted() },
      environment: {},
    });
    open.push(registry);
    const aborting = new AbortController();
    aborting.abort(new Error("stop"));
    await expect(registry.digestOf(path, tag, aborting.signal)).rejects.toThrow("stop");
  });
});

describe("a registry that wants tokens", () => {
  async function start(actions?: string) {
    const rules = tokenRules({
      username: "me",
      password: "pass-word",
      ...(actions ? { actions } : {}),
    });
    const faulty: FaultRegistry = await FaultRegistry.start(real, (asked) => {
      const fault = rules(asked);
      const refused = fault !== undefined && typeof fault === "object" && "status" in fault;
      if (!refused || fault.status !== 401 || asked.url.startsWith("/token")) return fault;
      return { ...fault, headers: challenge(faulty.host) };
    });
    return faulty;
  }

  it("gets one, for pull and push, and hides it", async () => {
    await using faulty = await start();
    const { registry, secrets } = client(faulty.host, me);
    await registry.checkAccess(path, signal);
    expect(await registry.digestOf(path, tag, signal)).toBe(await digestOf(path));
    const tokens = faulty.asked.filter(({ url }) => url.startsWith("/token"));
    expect(tokens).toHaveLength(1);
    const query = new URL(tokens[0]?.url ?? "", "http://x").searchParams;
    expect(query.get("scope")).toBe(`repository:${path}:pull,push`);
    expect(query.get("service")).toBe("test");
    expect(secrets.redact("the-token")).toBe("***");
  });

  it.each<[string, Credentials | undefined, string | undefined, RegExp, RegExp]>([
    ["nobody", undefined, undefined, /us without credentials/, /UNAUTHORIZED/],
    ["a wrong password", { ...me, password: "wrong" }, undefined, /the credentials/, /as me.*401/],
    [
      "an account that may only pull",
      me,
      "pull",
      /forbids it/,
      /DENIED.*repository:testbed\/busybox:pull,push/,
    ],
  ])("refuses %s, naming the scope", async (_, credentials, actions, title, cause) => {
    await using faulty = await start(actions);
    const { registry } = client(faulty.host, credentials);
    await expect(registry.checkAccess(path, signal)).rejects.toMatchObject({
      title: expect.stringMatching(title),
      cause: expect.stringMatching(cause),
    });
    const asked = faulty.asked.length;
    expect(asked).toBe(2);
  });
});
