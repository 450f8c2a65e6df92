import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  type BakeExecution,
  type BakeResult,
  type BakeTarget,
  type BuildEvent,
  bake,
} from "../../../shared/buildkit/index.ts";
import { Secrets } from "../../../shared/secrets/index.ts";
import { systemClock } from "../../../shared/world/index.ts";
import type { Endpoints } from "../../testbed/index.ts";

/** What a test says of a target; the rest is filled in. */
export type Wanted = Partial<BakeTarget> & {
  readonly name: string;
  /** The Dockerfile's lines. */
  readonly dockerfileText?: string;
  /** Other files of its context. */
  readonly files?: Readonly<Record<string, string>>;
};

/** A bake with all that was told of it. */
export interface Baked {
  /** By the targets' names. */
  readonly results: Readonly<Record<string, BakeResult>>;
  readonly events: readonly (readonly [string, BuildEvent])[];
  readonly milliseconds: number;
}

/** A workspace of services, baked by the bed's BuildKit and pushed to its registry. */
export class Bakehouse implements AsyncDisposable {
  readonly folder: string;
  readonly prefix = `bake-${randomBytes(4).toString("hex")}`;
  readonly bed: Endpoints;

  private constructor(folder: string, bed: Endpoints) {
    this.folder = folder;
    this.bed = bed;
  }

  static async open(bed: Endpoints): Promise<Bakehouse> {
    const house = new Bakehouse(await mkdtemp(join(tmpdir(), "bakehouse-")), bed);
    await mkdir(join(house.folder, ".private"));
    return house;
  }

  /** Writes a service's files, and gives the target that they make. */
  async target(wanted: Wanted): Promise<BakeTarget> {
    const { dockerfileText, files = {}, ...parts } = wanted;
    const { name } = wanted;
    const context = join(this.folder, name);
    const written = { ...files, ...(dockerfileText && { Dockerfile: dockerfileText }) };
    await mkdir(context, { recursive: true });
    for (const [file, text] of Object.entries(written)) {
      await mkdir(dirname(join(context, file)), { recursive: true });
      await writeFile(join(context, file), text);
    }
    return {
      context,
      dockerfile: join(context, "Dockerfile"),
      dockerfileShown: `${name}/Dockerfile`,
      repository: this.repository(name),
      output: "push-by-digest",
      sourceDateEpoch: 1_700_000_000,
      ...parts,
    };
  }

  repository(name: string, host = this.bed.registry) {
    return { host, path: `${this.prefix}/${name}` };
  }

  /** Bakes. What is given replaces what is usual. */
  async bake(
    wanted: readonly Wanted[],
    given: Partial<BakeExecution> = {},
    onEvent: (name: string, event: BuildEvent) => void = () => {},
  ): Promise<Baked> {
    const events: [string, BuildEvent][] = [];
    const targets = await Promise.all(wanted.map((each) => this.target(each)));
    const began = performance.now();
    const results = await bake(targets, {
      buildx: { program: join(this.bed.bin, "buildx"), args: [] },
      builder: "seaworthy",
      environment: { DOCKER_CONFIG: this.bed.dockerConfig },
      folder: join(this.folder, ".private"),
      signal: new AbortController().signal,
      secrets: new Secrets(),
      clock: systemClock,
      onEvent: (name, event) => {
        events.push([name, event]);
        onEvent(name, event);
      },
      ...given,
    });
    const milliseconds = performance.now() - began;
    const entries = results.map((result) => [result.name, result] as const);
    return { results: Object.fromEntries(entries), events, milliseconds };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** What the registry says of an image, asked without any of the project's code. */
export async function held(
  { host, path }: { readonly host: string; readonly path: string },
  reference: string,
): Promise<Record<string, unknown> | undefined> {
  const accept = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
  ].join(", ");
  const url = `http://${host}/v2/${path}/manifests/${reference}`;
  const answer = await fetch(url, { headers: { accept } });
  return answer.ok ? ((await answer.json()) as Record<string, unknown>) : undefined;
}

/** A blob of the registry, as JSON. */
export async function blob(
  { host, path }: { readonly host: string; readonly path: string },
  digest: string,
): Promise<Record<string, unknown>> {
  const answer = await fetch(`http://${host}/v2/${path}/blobs/${digest}`);
  return (await answer.json()) as Record<string, unknown>;
}
