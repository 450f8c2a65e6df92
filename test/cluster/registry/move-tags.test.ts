import { randomUUID } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { moveTags, type TagMove, TagsNotMoved } from "../../../shared/registry/index.ts";
import { silentLog, systemClock } from "../../../shared/world/index.ts";
import { up } from "../../testbed/index.ts";
import { client, clients, quickClock } from "./clients.ts";
import { type Asked, type Fault, FaultRegistry } from "./fault-registry.ts";
import { type MadeImage, madeImage, pushImage } from "./made-image.ts";

jest.setTimeout(60_000);

const { signal } = new AbortController();
const services = ["api", "web"];
const tags = ["main", "new"];
const old = madeImage(Math.random, "old");
const fresh = madeImage(Math.random, "fresh");
const rival = madeImage(Math.random, "rival", { "org.opencontainers.image.revision": "abc123" });
let real: string;
let folder: string;

beforeAll(async () => {
  real = (await up(["registry"])).registry;
}, 30 * 60_000);

beforeEach(begin);

/** Two services whose images are all there, and whose tag `main` leads to the old one. */
async function begin(): Promise<void> {
  folder = `move/${randomUUID().slice(0, 8)}`;
  using registry = client(real);
  for (const path of paths()) {
    for (const image of [old, fresh, rival]) await pushImage(registry, path, image, signal);
    await registry.putManifest(path, "main", old, signal);
  }
}

function paths(): string[] {
  return services.map((name) => `${folder}/${name}`);
}

function movesTo({ digest }: MadeImage, host: string): TagMove[] {
  return paths().flatMap((path) =>
    tags.map((tag) => ({ repository: { host, path }, tag, digest })),
  );
}

/** Where every tag leads, past all faults. */
async function led(): Promise<Readonly<Record<string, string>>> {
  using registry = client(real);
  const names = new Map(
    Object.entries({ old, fresh, rival }).map(([name, { digest }]) => [digest, name]),
  );
  const found: Record<string, string> = {};
  for (const path of paths()) {
    for (const tag of await registry.tags(path, signal)) {
      const digest = await registry.digestOf(path, tag, signal);
      found[`${path.split("/").at(-1)}:${tag}`] = names.get(digest ?? "") ?? `${digest}`;
    }
  }
  return found;
}

const before = { "api:main": "old", "web:main": "old" };
const after = { "api:main": "fresh", "api:new": "fresh", "web:main": "fresh", "web:new": "fresh" };

/** Moves the tags through a registry that misbehaves by the rule, with pauses cut short. */
async function move(
  rule: (asked: Asked, before: readonly Asked[]) => Fault | undefined,
  change: (moves: TagMove[]) => TagMove[] = (moves) => moves,
) {
  await using faulty = await FaultRegistry.start(real, rule);
  using registries = clients();
  const means = { registries, clock: quickClock(), log: silentLog, signal, aftermath: signal };
  const ended = await moveTags(change(movesTo(fresh, faulty.host)), means).then(
    (moved) => ({ moved, failure: undefined }),
    (failure: unknown) => ({ moved: undefined, failure }),
  );
  return { ...ended, asked: faulty.asked };
}

const isPut = ({ method, url }: Asked) => method === "PUT" && !url.includes("sha256:");

describe("tags", () => {
  it("are moved, all of them, and asked for once more; what is in place is not moved", async () => {
    const first = await move(() => undefined);
    expect(first.failure).toBeUndefined();
    expect(first.moved?.map(({ tag, before: from }) => [tag, from])).toEqual([
      ["main", old.digest],
      ["new", undefined],
      ["main", old.digest],
      ["new", undefined],
    ]);
    expect(await led()).toEqual(after);
    const second = await move(() => undefined);
    expect(second.asked.filter(isPut)).toEqual([]);
    expect(second.failure).toBeUndefined();
  });

  it.each<[string, Fault, RegExp]>([
    ["is refused", { status: 403, body: '{"errors":[{"code":"DENIED","message":"no"}]}' }, /403/],
    ["fails for good", { status: 500 }, /500/],
    ["breaks off for good", "reset", /ECONNRESET|socket hang up/],
    ["is done, and never answered", "unanswered", /ECONNRESET|socket hang up/],
    [
      "is answered with another digest",
      { altered: { "docker-content-digest": `sha256:${"0".repeat(64)}` } },
      /0000/,
    ],
  ])("are all put back when one %s", async (_, fault, cause) => {
    let hit = "";
    const { failure } = await move((asked) => {
      if (!isPut(asked) || !asked.url.endsWith("web/manifests/new")) return undefined;
      // Put back it may be.
      hit ||= asked.url;
      return fault;
    });
    expect(failure).toBeInstanceOf(TagsNotMoved);
    expect(failure).toMatchObject({ cause: expect.stringMatching(cause), left: [] });
    expect(hit).not.toBe("");
    expect(await led()).toEqual(before);
  });

  it("that nobody may move are told, and those beside them put back", async () => {
    const words = { code: "TAG_INVALID", message: "The image tag 'main' is immutable" };
    const fault = { status: 400, body: JSON.stringify({ errors: [words] }) };
    const rule = (asked: Asked) =>
      isPut(asked) && asked.url.endsWith("web/manifests/main") ? fault : undefined;
    const { failure } = await move(rule);
    expect(failure).toMatchObject({
      title: "The registry lets no tag be moved",
      cause: expect.stringMatching(new RegExp(`web:main leads to ${old.digest}.*immutable`)),
    });
    expect(await led()).toEqual(before);
    const allowed = await move(rule, (moves) =>
      moves.map((each) => ({ ...each, ifAllowed: each.tag === "main" })),
    );
    expect(allowed.moved?.map(({ kept }) => kept)).toEqual([false, false, true, false]);
    expect(await led()).toEqual({ ...after, "web:main": "old" });
  });

  it("that are new stay where the registry deletes nothing, and it is said", async () => {
    const { failure } = await move((asked) => {
      if (asked.method === "DELETE") return { status: 405 };
      return isPut(asked) && asked.url.endsWith("web/manifests/new") ? { status: 500 } : undefined;
    });
    expect(failure).toMatchObject({
      left: [{ name: expect.stringMatching(/api:new$/), digest: fresh.digest }],
      cause: expect.stringMatching(/api:new leads to .* and could not be put back: it is new/),
    });
    expect(await led()).toEqual({ ...before, "api:new": "fresh" });
  });

  it("that another run moves meanwhile are left to it, and it is named", async () => {
    using other = client(real);
    let overtaken = false;
    const { failure } = await move((asked, past) => {
      const puts = past.filter(isPut).length;
      if (overtaken || puts < 4 || asked.method !== "HEAD") return undefined;
      overtaken = true;
      void other.putManifest(`${folder}/api`, "main", rival, signal);
      return { late: 300 };
    });
    expect(failure).toMatchObject({
      title: "Another run moved the same tag",
      cause: expect.stringMatching(
        new RegExp(
          `api:main was moved to ${fresh.digest}, but leads to ${rival.digest} now, an image of revision abc123`,
        ),
      ),
    });
    expect(await led()).toEqual({ ...before, "api:main": "rival" });
  });

  it("cannot lead to two images", async () => {
    const twice = (moves: TagMove[]) => [
      ...moves,
      ...moves.map((each) => ({ ...each, digest: rival.digest })),
    ];
    const { failure } = await move(() => undefined, twice);
    expect(failure).toMatchObject({ title: "One tag is to lead to two images" });
    expect(await led()).toEqual(before);
  });
});

it("a cancellation at any request leaves all tags where they were, within 5 s", async () => {
  let requests = Number.POSITIVE_INFINITY;
  let cancelled = 0;
  for (let at = 1; at <= requests; at += 1) {
    const stop = new AbortController();
    await using faulty = await FaultRegistry.start(real, (_, past) => {
      if (past.length + 1 === at) setImmediate(() => stop.abort(new Error("cancelled")));
      return undefined;
    });
    using registries = clients();
    const began = Date.now();
    const means = { registries, clock: systemClock, log: silentLog, signal: stop.signal };
    try {
      await moveTags(movesTo(fresh, faulty.host), {
        ...means,
        aftermath: AbortSignal.timeout(5_000),
      });
      // All was done before the word came.
      expect(await led()).toEqual(after);
      requests = 0;
    } catch (error) {
      cancelled += 1;
      expect(error).toMatchObject({ title: "Cancelled while the tags were moved", left: [] });
      expect(Date.now() - began).toBeLessThan(5_000);
      expect(await led()).toEqual(before);
    }
  }
  expect(cancelled).toBeGreaterThan(12);
});

it("two runs that move the same tags end with the tags of one, or of none of them", async () => {
  for (let turn = 0; turn < 5; turn += 1) {
    const ends = await Promise.all(
      [fresh, rival].map(async (image) => {
        using registries = clients();
        const means = { registries, clock: systemClock, log: silentLog, signal, aftermath: signal };
        return moveTags(movesTo(image, real), means).then(
          () => "moved",
          (error: Error) => error.message,
        );
      }),
    );
    const now = await led();
    const kinds = new Set(Object.values(now));
    const told = `${JSON.stringify(now)} after ${ends.join("; ")}`;
    if (ends.includes("moved")) expect(`${kinds.size} ${told}`).toMatch(/^1 /);
    for (const end of ends) expect(end).toMatch(/^moved$|Another run moved|removed again/);
    await begin();
  }
});
