import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../failure/index.ts";
import { isDigest } from "../images/index.ts";
import { CommandFailed, type Execution, execute } from "../process/index.ts";
import { Secrets } from "../secrets/index.ts";
import type { Clock } from "../world/index.ts";
import { BakeProgress } from "./bake-progress.ts";
import type { BuildEvent } from "./build-event.ts";
import { dial, endpointOf, UNANSWERED_MS, unanswered } from "./builder/address.ts";
import type { Buildx } from "./builder/find-buildx.ts";
import { redacted } from "./redacted.ts";

/** What the runs of buildx in one bake have in common. */
export interface Kitchen extends Pick<Execution, "signal" | "secrets"> {
  readonly clock: Clock;
  readonly buildx: Buildx;
  /** Name of a buildx builder; the current one when undefined. */
  readonly builder: string | undefined;
  /** For buildx, beside that of this process. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A private folder of ours. */
  readonly folder: string;
  /** The file that defines all targets. */
  readonly definition: string;
  /** The rights that targets ask for. */
  readonly allow: readonly string[];
}

/** One run of buildx. */
export interface Batch {
  /** The targets that are asked for. */
  readonly keys: readonly string[];
  /** Those, and the ones that they are built on. */
  readonly involved: readonly string[];
  /** The longest that it may take, in milliseconds. */
  readonly deadline: number | undefined;
  /** How long a push may be silent, in milliseconds. */
  readonly stall: number;
  readonly tell: (key: string, event: BuildEvent) => void;
}

/** How a run of buildx ended. */
export type RunEnd =
  | { readonly how: "baked"; readonly digests: ReadonlyMap<string, string | undefined> }
  /** Why is among the lines that it printed. */
  | { readonly how: "broken" }
  | { readonly how: "late" }
  | { readonly how: "stalled" }
  | { readonly how: "cancelled" }
  /** No build can succeed here. */
  | { readonly how: "impossible"; readonly failure: UserError };

/**
 * Bakes some targets by one run of buildx, whatever comes of it. What the progress holds is not
 * redacted; what is told is.
 */
export async function runBake(
  batch: Batch,
  kitchen: Kitchen,
): Promise<{ readonly progress: BakeProgress; readonly end: RunEnd }> {
  const { buildx, environment, signal, secrets, clock, folder } = kitchen;
  const { tell, keys, involved, deadline } = batch;
  const progress = new BakeProgress(involved, clock.now, (key, event) => {
    if (keys.includes(key)) tell(key, redacted(event, secrets));
  });
  const metadata = join(folder, `metadata-${randomUUID()}.json`);
  const given = new AbortController();
  using connection = watchConnection(progress, kitchen, given);
  using _stall = watchStall(batch, progress, clock, given);
  const command = {
    program: buildx.program,
    args: [...buildx.args, ...bakeArguments(batch, kitchen, metadata)],
    environment: { ...environment, ...ENVIRONMENT },
    leashed: true,
  };
  connection.look();
  try {
    await execute(command, {
      signal: AbortSignal.any([signal, given.signal]),
      // Output comes in base64, within which nothing can be hidden without breaking the rest.
      secrets: new Secrets(),
      deadline,
      keep: 4_096,
      onLine: (line) => {
        progress.read(line);
        connection.look();
      },
    });
  } catch (error) {
    return { progress, end: endOf(error, kitchen, given.signal) };
  }
  return { progress, end: { how: "baked", digests: await digestsIn(metadata) } };
}

const ENVIRONMENT = {
  // The metadata file is read for digests alone; provenance in it costs another request each.
  BUILDX_METADATA_PROVENANCE: "disabled",
  // What may be read was decided when the services were; bake would ask about each folder again.
  BUILDX_BAKE_ENTITLEMENTS_FS: "0",
};

function bakeArguments({ keys }: Batch, kitchen: Kitchen, metadata: string): string[] {
  const { builder, definition, allow } = kitchen;
  return [
    "bake",
    "--progress=rawjson",
    `--file=${definition}`,
    `--metadata-file=${metadata}`,
    ...(builder === undefined ? [] : [`--builder=${builder}`]),
    ...allow.map((right) => `--allow=${right}`),
    ...keys,
  ];
}

const STALLED = "the push stalled";

function endOf(error: unknown, { signal }: Kitchen, given: AbortSignal): RunEnd {
  if (signal.aborted) return { how: "cancelled" };
  if (given.aborted) {
    if (given.reason === STALLED) return { how: "stalled" };
    if (given.reason instanceof UserError) return { how: "impossible", failure: given.reason };
    throw given.reason;
  }
  if (!(error instanceof CommandFailed)) throw error;
  if (error.why === "exit") return { how: "broken" };
  if (error.why === "deadline") return { how: "late" };
  const failure = new UserError(
    {
      title: "buildx did not end by itself",
      cause: `${error.message}.`,
      remedy: "Look at the runner's memory and at what else ends programs there.",
    },
    { reason: error },
  );
  return { how: "impossible", failure };
}

/** Gives up on a BuildKit that nobody can reach long before buildx does, and says why. */
function watchConnection(
  progress: BakeProgress,
  { builder, environment }: Kitchen,
  given: AbortController,
) {
  let timer: NodeJS.Timeout | undefined;
  const ask = async () => {
    const address = await endpointOf(builder, { ...process.env, ...environment });
    const error = address === undefined ? undefined : await dial(address);
    if (error === undefined || address === undefined || !progress.waitsForBuilder) return;
    given.abort(unanswered(address, error));
  };
  return {
    look() {
      if (timer !== undefined || !progress.waitsForBuilder) return;
      timer = setTimeout(() => ask().catch((error) => given.abort(error)), UNANSWERED_MS);
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
    },
  };
}

/** Ends a push of which nothing was heard for long; what is built meanwhile is not disturbed. */
function watchStall(
  { stall }: Batch,
  progress: BakeProgress,
  clock: Clock,
  given: AbortController,
): Disposable {
  const look = () => {
    if (progress.onlyPushes && clock.now() - progress.newsAt >= stall) given.abort(STALLED);
  };
  const timer = setInterval(look, Math.min(stall / 4, 5_000));
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

async function digestsIn(file: string): Promise<ReadonlyMap<string, string | undefined>> {
  try {
    const metadata: unknown = JSON.parse(await readFile(file, "utf8"));
    const entries = Object.entries(metadata as Record<string, unknown>);
    return new Map(entries.map(([key, value]) => [key, digestOf(value)]));
  } catch {
    // A builder that names no digest is told as such by who asked.
    return new Map();
  }
}

function digestOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const digest = (value as Record<string, unknown>)["containerimage.digest"];
  return typeof digest === "string" && isDigest(digest) ? digest : undefined;
}
