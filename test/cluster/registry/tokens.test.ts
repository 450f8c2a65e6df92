import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, it, jest } from "@jest/globals";
import type { Credentials } from "../../../shared/registry/index.ts";
import { up } from "../../testbed/index.ts";
import { client } from "./clients.ts";
import { type Asked, challenge, type Fault, FaultRegistry } from "./fault-registry.ts";
import { digestOf, madeImage, pushImage } from "./made-image.ts";

jest.setTimeout(30_000);

let real: string;
const { signal } = new AbortController();
const me: Credentials = { kind: "password", username: "me", password: "pass-word" };
const image = madeImage(Math.random, "tokens");
const path = `tokens/${randomUUID().slice(0, 8)}`;

beforeAll(async () => {
  real = (await up(["registry"])).registry;
}, 30 * 60_000);

/** What a token server gives for the scopes it is asked for, and how many requests a token lasts. */
interface Rules {
  readonly give: (scopes: readonly string[]) => string;
  readonly lasts?: number;
  /** What no token is good for. */
  readonly never?: string;
}

/** A registry that takes each token for so many requests, with the server that gives them. */
async function guarded({ give, lasts = Number.POSITIVE_INFINITY, never }: Rules) {
  const left = new Map<string, number>();
  const refuse = (): Fault => ({ status: 401, headers: challenge(faulty.host) });
  const rule = ({ method, url, authorization = "" }: Asked): Fault | undefined => {
    if (url.startsWith("/token")) {
      const token = give(new URL(url, "http://x").searchParams.getAll("scope"));
      left.set(token, lasts);
      return { status: 200, body: JSON.stringify({ token, expires_in: 300 }) };
    }
    const token = authorization.replace("Bearer ", "");
    const uses = left.get(token) ?? 0;
    if (uses <= 0 || method === never) return refuse();
    left.set(token, uses - 1);
    return undefined;
  };
  const faulty: FaultRegistry = await FaultRegistry.start(real, rule);
  return faulty;
}

const tokensAsked = ({ asked }: FaultRegistry) =>
  asked
    .filter(({ url }) => url.startsWith("/token"))
    .map(({ url }) => new URL(url, "http://x").searchParams.getAll("scope"));

const jwt = (actions: readonly string[]) => {
  const access = [{ type: "repository", name: path, actions }];
  return `x.${Buffer.from(JSON.stringify({ access })).toString("base64url")}.${randomUUID()}`;
};

describe("a registry that wants tokens", () => {
  it("is asked for one for all that goes on at once, and for more rights only when needed", async () => {
    await using faulty = await guarded({ give: () => randomUUID() });
    using registry = client(faulty.host, me);
    await Promise.all(
      Array.from({ length: 20 }, (_, at) => registry.digestOf(path, `tag-${at}`, signal)),
    );
    await pushImage(registry, path, image, signal);
    expect(tokensAsked(faulty)).toEqual([
      [`repository:${path}:pull`],
      [`repository:${path}:pull,push`],
    ]);
    // Whoever may push may pull.
    await registry.tags(path, signal);
    expect(tokensAsked(faulty)).toHaveLength(2);
  });

  it("gets a new token wherever the old one runs out", async () => {
    await using faulty = await guarded({ give: () => randomUUID(), lasts: 3 });
    using registry = client(faulty.host, me);
    for (const content of image.blobs) {
      await registry.upload({ path: `${path}-long`, digest: digestOf(content), content }, signal);
    }
    await pushImage(client(real), path, image, signal);
    expect(await registry.putManifest(path, "tag", image, signal)).toBe(image.digest);
    expect(tokensAsked(faulty).length).toBeGreaterThan(1);
  });

  it("that gives fewer rights than asked is found out at once, by what the token says", async () => {
    await using faulty = await guarded({ give: () => jwt(["pull"]) });
    using registry = client(faulty.host, me);
    await expect(registry.checkAccess(path, signal)).rejects.toMatchObject({
      status: 403,
      title: `The registry ${faulty.host} forbids it`,
      cause: `As me a token was given, and not for all that was asked. The scope that is missing is repository:${path}:push: its token server gave only repository:${path}:pull.`,
    });
    // What it does give can be used.
    expect(await registry.digestOf(path, "none", signal)).toBeUndefined();
  });

  it("that says no to the push itself is told with the scope, and not asked again", async () => {
    await using faulty = await guarded({ give: () => jwt(["pull"]), never: "POST" });
    using registry = client(faulty.host, me);
    const content = Buffer.from("x");
    const pushed = registry.upload({ path, digest: digestOf(content), content }, signal);
    await expect(pushed).rejects.toMatchObject({
      status: 401,
      cause: expect.stringMatching(
        `missing is repository:${path}:push: its token server gave only`,
      ),
    });
    expect(faulty.asked.filter(({ method }) => method === "POST")).toHaveLength(2);
  });

  it("mounts with the right to read where the blob is", async () => {
    await using faulty = await guarded({ give: () => randomUUID() });
    using registry = client(faulty.host, me);
    await pushImage(registry, path, image, signal);
    const content = image.blobs[1] ?? Buffer.alloc(0);
    const given = { path: `${path}-other`, digest: digestOf(content), content, from: path };
    expect(await registry.upload(given, signal)).toBe("mounted");
    expect(tokensAsked(faulty)).toContainEqual([
      `repository:${path}-other:pull,push`,
      `repository:${path}:pull`,
    ]);
  });
});
