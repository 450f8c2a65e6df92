import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { CommandFailed, execute } from "../../../shared/process/index.ts";
import { Secrets } from "../../../shared/secrets/index.ts";
import { type Endpoints, up, variables } from "../../testbed/index.ts";

/** Services of a fleet, as the reference systems have them at most. */
export const SERVICES = 8;
const FILES = 200;
/** Waiting is the larger part of most builds, and the same on a busy machine. */
const DOWNLOAD_SECONDS = 15;
const ROOT = join(import.meta.dirname, "..", "..", "..");

/** How much a service's build has to do: next to nothing, or what a small service takes. */
export type Work = "light" | "heavy";

/**
 * Eight services of one repository with a source tree, a name in the registry and a content of its
 * own, so that two fleets share nothing in BuildKit's cache but their base image.
 */
export class Fleet implements AsyncDisposable {
  readonly name: string;
  readonly registry: string;
  readonly #folder: string;
  readonly #endpoints: Endpoints;
  #changes = 0;

  private constructor(name: string, folder: string, endpoints: Endpoints) {
    this.name = name;
    this.registry = `${endpoints.registry}/bench-${name}-${randomBytes(3).toString("hex")}`;
    this.#folder = folder;
    this.#endpoints = endpoints;
  }

  static async create(name: string, work: Work, log: (line: string) => void): Promise<Fleet> {
    const endpoints = await up(["registry", "buildkit", "busybox-image"], { log });
    const folder = await mkdtemp(join(tmpdir(), `seaworthy-fleet-${name}-`));
    const fleet = new Fleet(name, folder, endpoints);
    await Promise.all(serviceNames().map((service) => fleet.#plant(service, work)));
    await fleet.#writeBakeFile();
    return fleet;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Changes the sources of some services, so that they have to be built anew. */
  async change(services: readonly string[]): Promise<void> {
    this.#changes += 1;
    const text = `// change ${this.#changes} of ${this.name}\n`;
    await Promise.all(
      services.map((service) => writeFile(join(this.#folder, service, "src", "main.ts"), text)),
    );
  }

  /** The bundled action, as a runner starts it. */
  async shipByAction(registry = this.registry): Promise<Shipped> {
    const output = join(this.#folder, "outputs");
    await writeFile(output, "");
    const services = serviceNames().map((name) => ({ name, context: name }));
    const milliseconds = await this.#call(
      process.execPath,
      [join(ROOT, "dist", "build-push", "index.js")],
      {
        INPUT_REGISTRY: registry,
        INPUT_SERVICES: JSON.stringify(services),
        INPUT_TAGS: "main",
        GITHUB_OUTPUT: output,
        GITHUB_WORKSPACE: this.#folder,
        GITHUB_SHA: "0123456789abcdef0123456789abcdef01234567",
        RUNNER_TEMP: tmpdir(),
      },
    );
    const told = /^images<<(.+)\n(.*)\n\1$/m.exec(await readFile(output, "utf8"))?.[2] ?? "{}";
    const images = JSON.parse(told) as Record<string, { readonly status: string }>;
    const statuses = Object.values(images).map(({ status }) => status);
    return { milliseconds, built: statuses.filter((status) => status === "built").length };
  }

  /** What a team would run in its place: one bake of the same services to the same tags. */
  shipByBake(): Promise<number> {
    const file = join(this.#folder, "docker-bake.json");
    return this.#call("docker", ["buildx", "bake", "--push", "--file", file], {});
  }

  async #plant(service: string, work: Work): Promise<void> {
    const folder = join(this.#folder, service);
    await mkdir(join(folder, "src"), { recursive: true });
    await mkdir(join(folder, "assets"));
    const files = Array.from({ length: FILES }, (_, at) =>
      writeFile(join(folder, "assets", `${at}.bin`), randomBytes(4_096)),
    );
    await Promise.all([
      ...files,
      writeFile(join(folder, "src", "main.ts"), `// ${service} of ${this.name}\n`),
      writeFile(join(folder, "package.json"), JSON.stringify({ name: service, fleet: this.name })),
      writeFile(join(folder, "Dockerfile"), this.#dockerfile(work)),
    ]);
  }

  /** Two stages, as the services of the reference systems have them. */
  #dockerfile(work: Work): string {
    const [seconds, rounds] = work === "heavy" ? [DOWNLOAD_SECONDS, 40] : [0, 1];
    const base = this.#endpoints.busyboxImage;
    return [
      `FROM ${base} AS builder`,
      "WORKDIR /app",
      "COPY package.json ./",
      "RUN mkdir node_modules && cp package.json node_modules/locked.json",
      "COPY . .",
      // What dependencies take to be downloaded that are named beside the sources.
      `RUN sleep ${seconds}`,
      // What a compiler would do: read everything several times, and write a result.
      `RUN for i in $(seq ${rounds}); do cat src/* assets/* | gzip -9 | sha256sum; done > result`,
      "",
      `FROM ${base} AS runner`,
      "WORKDIR /app",
      "ENV NODE_ENV=production",
      "RUN echo 'app:x:1001:1001::/app:' >> /etc/passwd",
      "COPY --from=builder /app/node_modules ./node_modules",
      "COPY --from=builder /app/assets ./assets",
      "COPY --from=builder /app/result ./",
      "USER 1001",
      "EXPOSE 3000",
      'CMD ["cat", "/app/result"]',
      "",
    ].join("\n");
  }

  #writeBakeFile(): Promise<void> {
    const targets = serviceNames().map((service) => [
      service,
      { context: join(this.#folder, service), tags: [`${this.registry}/${service}:main`] },
    ]);
    const definition = {
      group: { default: { targets: serviceNames() } },
      target: Object.fromEntries(targets),
    };
    return writeFile(join(this.#folder, "docker-bake.json"), JSON.stringify(definition));
  }

  async #call(
    program: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>>,
  ): Promise<number> {
    const { PATH, ...rest } = variables(this.#endpoints);
    const path = [PATH, process.env.PATH].join(delimiter);
    try {
      const { milliseconds } = await execute(
        {
          program,
          args,
          directory: this.#folder,
          environment: { ...rest, PATH: path, ...environment },
        },
        { signal: new AbortController().signal, secrets: new Secrets(), deadline: 600_000 },
      );
      return milliseconds;
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      throw new Error(`${this.name}: ${error.message}\n${error.stdoutTail}\n${error.stderrTail}`);
    }
  }
}

interface Shipped {
  readonly milliseconds: number;
  /** How many services were built, not reused. */
  readonly built: number;
}

/** The names of the services of a fleet. */
export function serviceNames(): readonly string[] {
  return Array.from({ length: SERVICES }, (_, at) => `service-${at + 1}`);
}
