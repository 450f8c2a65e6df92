import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { UserError } from "../../../shared/failure/index.ts";
import { type Clock, systemClock } from "../../../shared/world/index.ts";
import { type Endpoints, up } from "../../testbed/index.ts";
import {
  challenge,
  type Fault,
  FaultRegistry,
  type Rule,
  tokenRules,
} from "../registry/fault-registry.ts";
import { type Baked, Bakehouse, held } from "./bakehouse.ts";
import { OwnBuildKit } from "./own-buildkit.ts";

jest.setTimeout(60_000);

let bed: Endpoints;
let house: Bakehouse;

beforeAll(async () => {
  bed = await up(["registry", "buildkit", "busybox-image"]);
  house = await Bakehouse.open(bed);
}, 30 * 60_000);

afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

const from = (...lines: string[]) => [`FROM ${bed.busyboxImage}`, ...lines, ""].join("\n");
/** Every build is new, so that there is something to push. */
const fresh = (name: string) => from(`RUN echo ${name} ${Math.random()} > /x`);
const sound = () => ({ name: "sound", dockerfileText: fresh("sound") });

const pushes = ({ method }: { method: string }) => method !== "GET" && method !== "HEAD";
/** The first of BuildKit's requests that write, and fit, meet with a fault. */
const first = (count: number, fault: Fault, fits: (url: string) => boolean = () => true): Rule => {
  let met = 0;
  return (asked) => {
    if (!pushes(asked) || !fits(asked.url)) return undefined;
    met += 1;
    return met <= count ? fault : undefined;
  };
};

const upload = (url: string) => /uploads\/[\w-]+/.test(url);
const status = (number: number, message: string, code = "UNKNOWN"): Fault => ({
  status: number,
  body: JSON.stringify({ errors: [{ code, message }] }),
});

describe("a push", () => {
  const PASSING: Readonly<Record<string, () => Rule>> = {
    limited: () => first(6, status(429, "TOOMANYREQUESTS")),
    "meets-a-fault": () => first(6, { status: 503 }),
    reset: () => first(6, "reset"),
    "answer-lost": () => first(3, "unanswered", upload),
    "cut-in-the-middle": () => first(3, { cutAfter: 20 }, upload),
    "manifest-answer-lost": () => first(2, "unanswered", (url) => url.includes("/manifests/")),
    "last-byte-lost": () => first(3, "last-byte", upload),
  };
  const LASTING: Readonly<Record<string, readonly [() => Rule, RegExp]>> = {
    forbidden: [
      () => first(99, status(403, "not yours", "DENIED")),
      /not yours\. The scope that is missing is repository:\S+:pull,push\.$/,
    ],
    "too-large": [
      () => first(99, status(413, "too large", "TOO_LARGE")),
      /pushing .* failed: .*(?:too large|413)/i,
    ],
    closed: [
      () => closed(() => registries.get("closed")?.host ?? ""),
      /The scope that is missing is repository:\S+\/closed:pull,push\.$/,
    ],
  };
  const registries = new Map<string, FaultRegistry>();
  let baked: Baked;

  beforeAll(async () => {
    const rules = [
      ...Object.entries(PASSING),
      ...Object.entries(LASTING).map(([name, [rule]]) => [name, rule] as const),
    ];
    for (const [name, rule] of rules) {
      registries.set(name, await FaultRegistry.start(bed.registry, rule()));
    }
    const faulty = rules.map(([name]) => {
      const repository = house.repository(name, registries.get(name)?.host);
      return { name, repository, dockerfileText: fresh(name) };
    });
    baked = await house.bake([...faulty, sound()]);
  }, 60_000);

  afterAll(async () => {
    for (const registry of registries.values()) await registry[Symbol.asyncDispose]();
  });

  it.each(Object.keys(PASSING))("%s is tried again until it is there", async (name) => {
    const { failure, digest = "" } = baked.results[name] ?? {};
    expect(failure).toBeUndefined();
    expect(await held(house.repository(name), digest)).toBeDefined();
  });

  it.each(Object.entries(LASTING))("%s is not tried again", (name, [, cause]) => {
    const { failure, digest } = baked.results[name] ?? {};
    expect(failure?.cause).toMatch(cause);
    expect(digest).toBeUndefined();
    const again = baked.events.filter(([who, { kind }]) => who === name && kind === "again");
    expect(again).toEqual([]);
  });

  it("that fails takes no other with it", () => {
    expect(baked.results.sound?.digest).toMatch(/^sha256:/);
  });

  it("that stalls is ended and tried again", async () => {
    const rule = first(2, { stall: 60_000 }, upload);
    await using registry = await FaultRegistry.start(bed.registry, rule);
    const repository = house.repository("stalls", registry.host);
    const wanted = { name: "stalls", repository, dockerfileText: fresh("stalls") };
    const { results, events } = await house.bake([wanted, sound()], { stall: 1_500 });
    expect(results.stalls?.failure).toBeUndefined();
    expect(await held(house.repository("stalls"), results.stalls?.digest ?? "")).toBeDefined();
    expect(events).toContainEqual([
      "stalls",
      { kind: "again", why: "nothing was heard of the push for 2 s", waitMilliseconds: 0 },
    ]);
  });

  it("is given up in the end, and said how often it was tried", async () => {
    const rule = first(9_999, status(404, "blob upload unknown to registry"));
    await using registry = await FaultRegistry.start(bed.registry, rule);
    const repository = house.repository("never", registry.host);
    const wanted = { name: "never", repository, dockerfileText: fresh("never") };
    const { results } = await house.bake([wanted], { patience: 2_500 });
    expect(results.never?.failure?.cause).toMatch(/It was tried [23] times in \d+ s\.$/);
  });
});

/** A clock that runs five times as fast, where it is waited for what never comes. */
const hasty: Clock = {
  now: () => 5 * Date.now(),
  sleep: (milliseconds, signal) => systemClock.sleep(milliseconds / 5, signal),
};

/** Rules of a registry whose token service knows nobody. */
function closed(host: () => string): Rule {
  const rules = tokenRules({ username: "me", password: "right" });
  return (asked) => {
    const fault = rules(asked);
    if (fault === undefined || asked.url.startsWith("/token")) return fault;
    return { status: 401, headers: challenge(host()) };
  };
}

describe("BuildKit", () => {
  const running = promisify(execFile);

  /** A builder for a BuildKit of one's own. */
  async function builderFor(address: string, name: string) {
    const environment = {
      DOCKER_CONFIG: bed.dockerConfig,
      BUILDX_CONFIG: join(house.folder, `.buildx-${name}`),
    };
    const buildx = join(bed.bin, "buildx");
    const args = ["create", "--name", name, "--driver", "remote", address];
    await running(buildx, args, { env: { ...process.env, ...environment } });
    return { builder: name, environment };
  }

  const slow = (name: string) => {
    return { name, dockerfileText: from(`RUN echo begun; sleep 1.5; echo ${Math.random()}`) };
  };

  /** Kills BuildKit once the slow build is under way. */
  async function killed(name: string, then: (own: OwnBuildKit) => Promise<void>): Promise<Baked> {
    await using own = await OwnBuildKit.start();
    const given = { ...(await builderFor(own.address, name)), clock: hasty };
    let over: Promise<void> | undefined;
    const wanted = [slow(`slow-${name}`), { ...sound(), name: `sound-${name}` }];
    const baked = await house.bake(wanted, given, (who, { kind }) => {
      if (who === `slow-${name}` && kind === "output") over ??= own.kill().then(() => then(own));
    });
    await over;
    return baked;
  }

  async function full(): Promise<Baked> {
    await using own = await OwnBuildKit.start("24m");
    const given = await builderFor(own.address, "full");
    const dockerfileText = from("RUN dd if=/dev/urandom of=/x bs=1M count=64");
    return await house.bake([{ name: "large", dockerfileText }], given);
  }

  async function silent(): Promise<Baked> {
    // Buildx looks for it when the builder is made, and would wait for it there.
    let hangsUp = true;
    const server = createServer((socket) => hangsUp && socket.destroy());
    server.listen(join(house.folder, ".silent"));
    const given = await builderFor(`unix://${join(house.folder, ".silent")}`, "silent");
    hangsUp = false;
    const baked = await house.bake([slow("one"), slow("two")], given);
    server.close();
    return baked;
  }

  let story: Readonly<Record<"back" | "gone" | "full" | "silent", Baked>>;

  // Each waits more than it works.
  beforeAll(async () => {
    const [back, gone, fullDisk, silence] = await Promise.all([
      killed("back", (own) => own.run()),
      killed("gone", async () => {}),
      full(),
      silent(),
    ]);
    story = { back, gone, full: fullDisk, silent: silence };
  }, 60_000);

  it("that is killed and comes back goes on with the build", () => {
    const { results } = story.back;
    expect(results["slow-back"]).toMatchObject({ digest: expect.stringMatching(/^sha256:/) });
    expect(results["sound-back"]?.digest).toMatch(/^sha256:/);
    expect(results["slow-back"]?.failure).toBeUndefined();
  });

  it("that is killed and stays away is told as such", () => {
    const { failure } = story.gone.results["slow-gone"] ?? {};
    expect(failure?.title).toBe("slow-gone: BuildKit broke off");
    expect(failure?.cause).toMatch(/did not come back within seconds\.$/);
  });

  it("whose disk is full is told as such", () => {
    const { failure } = story.full.results.large ?? {};
    expect(failure?.title).toBe("large: the builder's disk is full");
    expect(failure?.at?.line).toBe(2);
  });

  it("that says nothing is given up after seconds, once for all", () => {
    const { results, milliseconds } = story.silent;
    expect(results.one?.failure?.title).toBe("BuildKit cannot be reached");
    expect(results.two?.failure).toBe(results.one?.failure);
    expect(milliseconds).toBeLessThan(20_000);
  });

  it("that is not known is told once for all", async () => {
    const { results } = await house.bake([slow("one"), slow("two")], { builder: "nobody" });
    expect(results.one?.failure?.title).toBe("There is no such builder");
    expect(results.two?.failure?.title).toBe("There is no such builder");
    expect(results.two?.attempts).toBe(1);
  });
});

describe("time that is over", () => {
  const long = () => ({ name: "long", dockerfileText: from("RUN sleep 30") });

  it("for one target leaves the others theirs", async () => {
    const other = { name: "other", dockerfileText: from(`RUN sleep 3; echo ${Math.random()}`) };
    const { results, milliseconds } = await house.bake([{ ...long(), timeout: 2_000 }, other]);
    expect(results.long?.failure?.cause).toMatch(/^It was ended after \d+ s, its timeout/);
    expect(results.other?.digest).toMatch(/^sha256:/);
    expect(milliseconds).toBeLessThan(15_000);
  });

  it("for all ends all", async () => {
    const { results } = await house.bake([long(), { ...long(), name: "longer" }], {
      deadline: 1_500,
    });
    expect(results.long?.failure?.title).toBe("long: the build took too long");
    expect(results.longer?.failure?.title).toBe("longer: the build took too long");
  });
});

describe("a cancellation", () => {
  const reason = new UserError({ title: "Cancelled", cause: "By hand.", remedy: "None." });

  /** The programs that still know of our folder. */
  async function leftovers(): Promise<string[]> {
    const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
    const lines = await Promise.all(
      pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
    );
    return lines.filter((line) => line.includes(house.folder));
  }

  it("before anything began does nothing", async () => {
    const { results } = await house.bake([sound()], { signal: AbortSignal.abort(reason) });
    expect(results.sound).toMatchObject({ failure: reason, digest: undefined });
  });

  it.each(["a step", "a push", "a pause before another try"])(
    "in %s leaves nothing behind",
    async (phase) => {
      const cancelled = new AbortController();
      const fault: Fault = phase === "a push" ? { stall: 60_000 } : { status: 503 };
      await using registry = await FaultRegistry.start(bed.registry, first(9_999, fault));
      const repository = house.repository("cancelled", registry.host);
      const dockerfileText = phase === "a step" ? from("RUN echo begun; sleep 30") : fresh(phase);
      const stop = () => cancelled.abort(reason);
      if (phase === "a push") {
        const look = setInterval(() => {
          if (registry.asked.some(pushes)) stop();
        }, 20);
        cancelled.signal.addEventListener("abort", () => clearInterval(look));
      }
      const began = performance.now();
      const { results } = await house.bake(
        [{ name: "cancelled", repository, dockerfileText }, sound()],
        { signal: cancelled.signal },
        (name, event) => {
          if (phase === "a step" && event.kind === "output" && name === "cancelled") stop();
          if (phase.startsWith("a pause") && event.kind === "again") stop();
        },
      );
      expect(results.cancelled?.failure).toBe(reason);
      expect(await leftovers()).toEqual([]);
      expect(performance.now() - began).toBeLessThan(15_000);
    },
  );
});

it("a folder that cannot be written is told as the runner's trouble", async () => {
  const { results } = await house.bake([sound()], { folder: join(house.folder, "not", "there") });
  expect(results.sound?.failure?.title).toMatch(/folder for temporary files cannot be used/);
});
