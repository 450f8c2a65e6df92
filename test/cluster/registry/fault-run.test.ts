import { randomUUID } from "node:crypto";
import { expect, it, jest } from "@jest/globals";
import { UserError } from "../../../shared/failure/index.ts";
import {
  inspectImage,
  moveTags,
  proveImage,
  Registries,
  TagsNotMoved,
} from "../../../shared/registry/index.ts";
import { Secrets } from "../../../shared/secrets/index.ts";
import { type Clock, silentLog } from "../../../shared/world/index.ts";
import { up } from "../../testbed/index.ts";
import { FaultRegistry } from "./fault-registry.ts";
import { type MadeImage, madeImage, pushImage } from "./made-image.ts";
import { randomFrom, Storm } from "./storm.ts";
import { tableOf } from "./storm-table.ts";

jest.setTimeout(10 * 60_000);

const seed = Number(process.env.SEAWORTHY_SEED || 20_260_101);
/** Each pushes one image to each of the services. */
const runs = Number(process.env.SEAWORTHY_FAULT_RUNS || 25);
const services = 4;
/** Runs that go on beside each other; each line of runs has one tag that it moves on and on. */
const lines = 5;
const { signal } = new AbortController();

/** Waits a twentieth of what is asked: pauses are not what is tried out here. */
const hasty: Clock = {
  now: () => Date.now(),
  sleep: async (milliseconds, aborted) => {
    await new Promise((resolve) => setTimeout(resolve, milliseconds / 20));
    aborted?.throwIfAborted();
  },
};

it(`the fault run: no push is called done that is not, and no tag leads past the gate (seed ${seed})`, async () => {
  const { registry: real } = await up(["registry"]);
  const storm = new Storm({ seed, calm: 0.12, burst: 0.7, stall: 1_500, forBuildKit: 0 });
  await using faulty = await FaultRegistry.start(real, storm.rule);
  using run = new FaultRun(faulty.host, real);
  const ends = await Promise.allSettled(Array.from({ length: lines }, (_, line) => run.line(line)));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  const ungated = await run.ungatedTags();
  process.stdout.write(`${tableOf(storm, { ...run.tally(), seed, ungated: ungated.length })}\n`);
  expect(run.wrong).toEqual([]);
  expect(ungated).toEqual([]);
  expect(run.pushes).toBe(runs * services);
  expect(run.verified).toBe(run.succeeded);
  // Most get through: patience is worth something.
  expect(run.succeeded).toBeGreaterThan(run.pushes / 2);
});

class FaultRun implements Disposable {
  pushes = 0;
  succeeded = 0;
  verified = 0;
  readonly wrong: string[] = [];
  readonly #failed = new Map<string, number>();
  readonly #began = Date.now();
  readonly #random = randomFrom(seed + 1);
  readonly #faulty: string;
  readonly #real: string;
  readonly #through = registries(1_000);
  readonly #past = registries(30_000);
  readonly #paths: readonly string[];
  /** Digests that passed the gate. */
  readonly #passed = new Set<string>();
  #begun = 0;

  constructor(faulty: string, real: string) {
    this.#faulty = faulty;
    this.#real = real;
    const folder = `fault-run/${randomUUID().slice(0, 8)}`;
    this.#paths = Array.from({ length: services }, (_, at) => `${folder}/service-${at}`);
  }

  [Symbol.dispose](): void {
    this.#through[Symbol.dispose]();
    this.#past[Symbol.dispose]();
  }

  tally() {
    const { pushes, succeeded, verified } = this;
    const seconds = (Date.now() - this.#began) / 1_000;
    return { pushes, succeeded, verified, failed: this.#failed, seconds };
  }

  async line(line: number): Promise<void> {
    while (this.#begun < runs) {
      this.#begun += 1;
      await this.#run(`line-${line}`);
    }
  }

  async #run(tag: string): Promise<void> {
    const images = this.#paths.map((path) => ({ path, ...madeImage(this.#random, tag) }));
    const passes = this.#random() > 0.12;
    const before = await this.#leads(tag);
    this.pushes += images.length;
    try {
      await this.#ship(images, tag, passes);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const cause = error.title.replace(this.#faulty, "").replaceAll("  ", " ");
      this.#failed.set(cause, (this.#failed.get(cause) ?? 0) + images.length);
      await this.#expectAsBefore(tag, before, error);
      return;
    }
    this.succeeded += images.length;
    await this.#verify(images, tag);
  }

  /** What a step does after its builds: proves what was pushed, has it judged, moves the tags. */
  async #ship(images: readonly Shipped[], tag: string, passes: boolean): Promise<void> {
    const host = this.#faulty;
    const registry = await this.#through.of(host);
    await Promise.all(images.map((image) => pushImage(registry, image.path, image, signal)));
    await Promise.all(
      images.map(({ path, digest }) =>
        proveImage(placeOf(host, path, digest), registry, hasty, signal),
      ),
    );
    if (!passes) throw new UserError({ title: "The gate", cause: "It fails.", remedy: "None." });
    for (const { digest } of images) this.#passed.add(digest);
    const moves = images.flatMap(({ path, digest }) =>
      [tag, `key-${digest.slice(7, 47)}`].map((each) => ({
        repository: { host, path },
        tag: each,
        digest,
      })),
    );
    const registries = this.#through;
    await moveTags(moves, { registries, clock: hasty, log: silentLog, signal, aftermath: signal });
  }

  async #verify(images: readonly Shipped[], tag: string): Promise<void> {
    const registry = await this.#past.of(this.#real);
    for (const { path, digest, size } of images) {
      const found = await inspectImage(placeOf(this.#real, path, tag), registry, signal);
      if (found?.digest === digest && found.size === size) this.verified += 1;
      else this.wrong.push(`${path}:${tag} leads to ${found?.digest}, and ${digest} was proven`);
    }
  }

  /** All or none: who fails leaves every tag where it was, or says which not. */
  async #expectAsBefore(tag: string, before: readonly Led[], error: UserError): Promise<void> {
    const left = error instanceof TagsNotMoved ? error.left.map(({ name }) => name) : [];
    const now = await this.#leads(tag);
    for (const [at, path] of this.#paths.entries()) {
      const told = left.some((name) => name.endsWith(`${path}:${tag}`));
      if (now[at] !== before[at] && !told) this.wrong.push(`${path}:${tag} was moved: ${error}`);
    }
  }

  async ungatedTags(): Promise<readonly string[]> {
    const registry = await this.#past.of(this.#real);
    const all = await Promise.all(
      this.#paths.map(async (path) => {
        const tags = await registry.tags(path, signal);
        const digests = await Promise.all(tags.map((tag) => registry.digestOf(path, tag, signal)));
        const ungated = tags.filter((_, at) => !this.#passed.has(digests[at] ?? ""));
        return ungated.map((tag) => `${path}:${tag}`);
      }),
    );
    return all.flat();
  }

  async #leads(tag: string): Promise<readonly Led[]> {
    const registry = await this.#past.of(this.#real);
    return Promise.all(this.#paths.map((path) => registry.digestOf(path, tag, signal)));
  }
}

type Shipped = MadeImage & { readonly path: string };
type Led = string | undefined;

/** @param silence after which a registry that says nothing is asked anew, in milliseconds. */
function registries(silence: number): Registries {
  return new Registries({
    credentials: async () => undefined,
    secrets: new Secrets(),
    clock: hasty,
    environment: {},
    silence,
  });
}

function placeOf(host: string, path: string, reference: string) {
  return { repository: { host, path }, reference, platforms: [] };
}
