import { randomBytes } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { expect, it, jest } from "@jest/globals";
import { inspectImage, type Registry, type StoredImage } from "../../../shared/registry/index.ts";
import { bundleOf, Runner, runStep, type Step } from "../../runner/index.ts";
import { type Endpoints, up } from "../../testbed/index.ts";
import { client } from "./clients.ts";
import { FaultRegistry } from "./fault-registry.ts";
import { digestOf } from "./made-image.ts";
import { randomFrom, Storm } from "./storm.ts";
import { tableOf } from "./storm-table.ts";

jest.setTimeout(30 * 60_000);

const seed = Number(process.env.SEAWORTHY_SEED || 20_260_101);
/** Each of 21 services. */
const steps = Number(process.env.SEAWORTHY_FAULT_STEPS || 10);
const services = Array.from({ length: 21 }, (_, at) => `service-${at}`);
/** Steps that go on beside each other; each line has a workspace and a tag of its own. */
const lines = 5;
const SECRET = `secret-${randomBytes(12).toString("hex")}`;
const { signal } = new AbortController();

it(`build-push in a storm: every success is true, and no tag leads past the gate (seed ${seed})`, async () => {
  const bed = await up(["registry", "buildkit", "buildx"]);
  const storm = new Storm({ seed, calm: 0.06, burst: 0.45, stall: 1_500, forBuildKit: 0.4 });
  await using faulty = await FaultRegistry.start(bed.registry, storm.rule);
  using run = new FaultRun(bed, faulty.host);
  const ends = await Promise.allSettled(
    Array.from({ length: lines }, (_, line) => run.line(`line-${line}`)),
  );
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  const ungated = await run.ungated(faulty.tagged);
  process.stdout.write(`${tableOf(storm, { ...run.tally(), seed, ungated: ungated.length })}\n`);
  expect(run.wrong).toEqual([]);
  expect(ungated).toEqual([]);
  expect(run.pushes).toBe(steps * services.length);
  expect(run.verified).toBe(run.succeeded);
  expect(run.succeeded).toBeGreaterThan(run.pushes / 2);
});

/**
 * The folder of a service in a line. BuildKit keeps what it was sent of a folder by that folder's last
 * name, and sends again only files of another size or time: lines that begin at once must not share it.
 */
const folderOf = (service: string, line: string) => `${service}-of-${line}`;

class FaultRun implements Disposable {
  pushes = 0;
  succeeded = 0;
  verified = 0;
  readonly wrong: string[] = [];
  readonly #failed = new Map<string, number>();
  readonly #began = Date.now();
  readonly #random = randomFrom(seed + 1);
  readonly #bed: Endpoints;
  readonly #faulty: string;
  readonly #folder = `fault-run/${randomBytes(4).toString("hex")}`;
  /** Past all faults. */
  readonly #registry: Registry;
  /** Digests that a step called released. */
  readonly #released = new Set<string>();
  #begun = 0;

  constructor(bed: Endpoints, faulty: string) {
    this.#bed = bed;
    this.#faulty = faulty;
    this.#registry = client(bed.registry);
  }

  [Symbol.dispose](): void {
    this.#registry[Symbol.dispose]();
  }

  tally() {
    const { pushes, succeeded, verified } = this;
    const seconds = (Date.now() - this.#began) / 1_000;
    return { pushes, succeeded, verified, failed: this.#failed, seconds };
  }

  async line(tag: string): Promise<void> {
    await using runner = await Runner.create(
      Object.fromEntries(
        services.map((name) => [
          `${folderOf(name, tag)}/Dockerfile`,
          "FROM scratch\nCOPY content /content\n",
        ]),
      ),
    );
    while (this.#begun < steps) {
      const turn = this.#begun++;
      await this.#step(runner, tag, turn % 5 === 2);
    }
  }

  async #step(runner: Runner, tag: string, leaky: boolean): Promise<void> {
    // In one step of five a secret is left in an image: the gate has to hold back all of them.
    const leaks = leaky ? Math.floor(this.#random() * services.length) : -1;
    const contents = services.map((name, at) =>
      `${name} ${this.#random()} ${at === leaks ? SECRET : ""}`.trim(),
    );
    await Promise.all(
      services.map((name, at) =>
        runner.write(`${folderOf(name, tag)}/content`, contents[at] ?? ""),
      ),
    );
    const before = await this.#leads(tag);
    const step = await this.#ship(runner, tag);
    this.pushes += services.length;
    if (step.exitCode === 0) {
      this.succeeded += services.length;
      if (leaks >= 0) this.wrong.push("a step with a secret in an image was called done");
      await this.#verify(step, tag, contents);
      return;
    }
    const cause = titleOf(step)
      .replaceAll(this.#faulty, "")
      .replaceAll(/service-\d+/g, "a service");
    this.#failed.set(cause, (this.#failed.get(cause) ?? 0) + services.length);
    const now = await this.#leads(tag);
    for (const [at, name] of services.entries()) {
      if (now[at] !== before[at] && !`${step.outputs.cause}`.includes("could not be put back")) {
        this.wrong.push(`${name}:${tag} was moved by a step that failed: ${step.outputs.cause}`);
      }
    }
  }

  #ship(runner: Runner, tag: string): Promise<Step> {
    const list = services.map(
      (name) => `{name: ${name}, context: ${folderOf(name, tag)}, secrets: {token: TOKEN}}`,
    );
    return runStep(bundleOf("build-push"), {
      runner,
      inputs: {
        registry: `${this.#faulty}/${this.#folder}`,
        services: `[${list.join(", ")}]`,
        tags: tag,
      },
      environment: {
        PATH: `${this.#bed.bin}:${process.env.PATH}`,
        DOCKER_CONFIG: this.#bed.dockerConfig,
        BUILDX_BUILDER: "seaworthy",
        TOKEN: SECRET,
      },
    });
  }

  /** What a step called done is whole at the registry, under its tag, and made of this step's files. */
  async #verify({ outputs }: Step, tag: string, contents: readonly string[]): Promise<void> {
    const images = JSON.parse(outputs.images || "{}") as Record<string, { digest?: string }>;
    for (const [at, name] of services.entries()) {
      const path = `${this.#folder}/${name}`;
      const place = { repository: { host: this.#bed.registry, path }, reference: tag };
      const found = await inspectImage({ ...place, platforms: [] }, this.#registry, signal);
      const digest = images[name]?.digest;
      const text = found === undefined ? "" : await this.#contentOf(path, found);
      if (digest !== undefined) this.#released.add(digest);
      if (found !== undefined && found.digest === digest && text.includes(contents[at] ?? "?")) {
        this.verified += 1;
      } else {
        this.wrong.push(`${name}:${tag} leads to ${found?.digest}, and ${digest} was reported`);
      }
    }
  }

  async #contentOf(path: string, image: StoredImage): Promise<string> {
    const layers = image.images.flatMap((each) => each.layers);
    const texts = await Promise.all(layers.map(({ digest }) => this.#unpacked(path, digest)));
    return texts.join("\n");
  }

  async #unpacked(path: string, digest: string): Promise<string> {
    const pieces: Buffer[] = [];
    const stream = await this.#registry.openBlob(path, digest, signal);
    for await (const piece of stream ?? []) pieces.push(piece as Buffer);
    const bytes = Buffer.concat(pieces);
    return (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString("latin1");
  }

  async #leads(tag: string): Promise<readonly (string | undefined)[]> {
    return Promise.all(
      services.map((name) => this.#registry.digestOf(`${this.#folder}/${name}`, tag, signal)),
    );
  }

  /**
   * Tags that lead to an image of a step that did not succeed, at the end; and those that ever led
   * to one with the secret in it.
   */
  async ungated(tagged: FaultRegistry["tagged"]): Promise<readonly string[]> {
    const atTheEnd = services.map(async (name) => {
      const path = `${this.#folder}/${name}`;
      const tags = await this.#registry.tags(path, signal);
      const digests = await Promise.all(
        tags.map((tag) => this.#registry.digestOf(path, tag, signal)),
      );
      return tags
        .filter((_, at) => !this.#released.has(digests[at] ?? ""))
        .map((tag) => `${path}:${tag}`);
    });
    const different = new Map(tagged.map((each) => [`${each.path} ${each.text}`, each]));
    const ever = [...different.values()].map(async ({ path, tag, text }) => {
      const place = { repository: { host: this.#bed.registry, path }, reference: digestOf(text) };
      // What was deleted since was a copy of another that is there.
      const image = await inspectImage({ ...place, platforms: [] }, this.#registry, signal);
      const content = image === undefined ? "" : await this.#contentOf(path, image);
      return content.includes(SECRET) ? [`${path}:${tag} led to ${image?.digest}`] : [];
    });
    return (await Promise.all([...atTheEnd, ...ever])).flat();
  }
}

function titleOf({ commands, stdout }: Step): string {
  const error = commands.find(({ name }) => name === "error");
  return error?.properties?.title ?? stdout.split("\n").at(-2) ?? "no word";
}
