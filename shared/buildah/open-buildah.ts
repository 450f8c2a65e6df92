import { randomUUID } from "node:crypto";
import { access, constants, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import type { BakeResult, BakeTarget, BuildEvent } from "../buildkit/index.ts";
import { describe, UserError } from "../failure/index.ts";
import { nameOf, normalPlatform } from "../images/index.ts";
import { CommandFailed, type Execution, execute } from "../process/index.ts";
import type { Registries } from "../registry/index.ts";
import type { Clock, Log } from "../world/index.ts";
import { buildArguments } from "./arguments.ts";
import { buildahFailure, shorten } from "./failure.ts";
import { type Layout, readLayout } from "./layout.ts";
import { limitsOf } from "./limits.ts";
import { BuildahProgress } from "./progress.ts";
import { pushLayout } from "./push-layout.ts";
import { surroundings } from "./surroundings.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const ISOLATIONS = ["chroot", "oci", "rootless"] as const;
const SIDE_BY_SIDE = 3;
const EXPORT_MS = 600_000;

/** What buildah works with. */
export interface BuildahExecution extends Pick<Execution, "signal" | "secrets"> {
  readonly environment: Environment;
  /** For docker's configuration, over the job's own environment. */
  readonly docker: Readonly<Record<string, string>>;
  /** A private folder, there as long as buildah is used. */
  readonly folder: string;
  readonly registries: Registries;
  readonly clock: Clock;
  readonly log: Log;
}

/** buildah, found on this machine. */
export interface Buildah {
  readonly description: string;
  /** For content keys: its version, and what it builds for when it is not told. */
  version(): Promise<string>;
  /** Builds all targets; what a user can act on is the `failure` of the target that it concerns. */
  bake(
    targets: readonly BakeTarget[],
    order: {
      readonly timeout: number;
      readonly onEvent: (name: string, event: BuildEvent) => void;
    },
  ): Promise<readonly BakeResult[]>;
}

/**
 * Finds buildah, which builds without a daemon. Steps run by `chroot` unless the option isolation
 * says otherwise: that works in a container without rights too.
 *
 * @throws {UserError} when it is not there, or an option is none of its.
 */
export async function openBuildah(
  options: Readonly<Record<string, string>>,
  execution: BuildahExecution,
): Promise<Buildah> {
  const isolation = isolationOf(options, execution.environment);
  await expectProgram(execution.environment);
  let version: Promise<string> | undefined;
  return {
    description: `buildah (isolation ${isolation})`,
    version() {
      version ??= versionOf(execution);
      return version;
    },
    bake: (targets, order) => bakeAll(targets, { ...execution, ...order, isolation }),
  };
}

interface Work extends BuildahExecution {
  readonly isolation: string;
  readonly timeout: number;
  readonly onEvent: (name: string, event: BuildEvent) => void;
}

function isolationOf(options: Readonly<Record<string, string>>, environment: Environment): string {
  const { isolation = environment.BUILDAH_ISOLATION || "chroot", ...others } = options;
  const [unknown] = Object.keys(others);
  const wrong = (cause: string) =>
    new UserError({
      title: "The input driver-opts is wrong",
      cause,
      remedy: `With the driver buildah the one option is isolation: ${ISOLATIONS.join(", ")}.`,
    });
  if (unknown !== undefined) throw wrong(`The driver buildah has no option ${unknown}.`);
  if (ISOLATIONS.some((word) => word === isolation)) return isolation;
  throw wrong(`There is no isolation ${JSON.stringify(isolation)}.`);
}

async function expectProgram({ PATH = "" }: Environment): Promise<void> {
  const places = PATH.split(delimiter).map((folder) => join(folder, "buildah"));
  try {
    await Promise.any(places.map((file) => access(file, constants.X_OK)));
  } catch {
    throw new UserError({
      title: "buildah is not there",
      cause: "There is no program buildah on the PATH.",
      remedy:
        "Install it (Debian and Ubuntu have it as the package buildah), or leave out `driver`.",
    });
  }
}

async function versionOf({ signal, secrets }: BuildahExecution): Promise<string> {
  const command = { program: "buildah", args: ["--version"] };
  const { stdout } = await execute(command, { signal, secrets, deadline: 20_000 });
  const version = /version (\S+)/.exec(stdout)?.[1] ?? "";
  const machine = { x64: "amd64", ia32: "386" }[process.arch as string] ?? process.arch;
  return `buildah ${version} linux/${machine}`;
}

async function bakeAll(targets: readonly BakeTarget[], work: Work): Promise<readonly BakeResult[]> {
  const results: BakeResult[] = [];
  const waiting = [...targets.entries()];
  tellNotDone(targets, work);
  const inTurn = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, target] = next;
      results[index] = await bakeOne(target, work);
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, inTurn));
  return results;
}

function tellNotDone(targets: readonly BakeTarget[], { log }: Work): void {
  const all = [...new Set(targets.flatMap((target) => limitsOf(target).notDone))];
  if (all.length > 0) log.warning(`buildah does not do it: ${all.join("; ")}.`, "Not done");
}

async function bakeOne(target: BakeTarget, work: Work): Promise<BakeResult> {
  const { clock } = work;
  const began = clock.now();
  const tell = (event: BuildEvent) => work.onEvent(target.name, event);
  const progress = new BuildahProgress(clock.now, tell, Object.keys(target.labels ?? {}));
  const list = `localhost/seaworthy-${randomUUID()}`;
  const folder = join(work.folder, `buildah-${randomUUID()}`);
  const result = (digest: string | undefined, failure?: UserError): BakeResult => ({
    ...{ name: target.name, digest, steps: progress.steps, began, ended: clock.now(), attempts: 1 },
    ...(failure === undefined ? {} : { failure }),
  });
  try {
    refuse(target);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const where = { list, folder, ...(await readDockerfile(target, folder)) };
    const environment = await environmentOf(target, where.text, folder, work);
    await build(target, { ...where, environment }, progress, work);
    if (target.output === "none" || target.repository === undefined) return result(undefined);
    const layout = await exportList(target, { ...where, environment }, work);
    for (const repository of [target.repository, ...(target.mirrors ?? [])]) {
      const registry = await work.registries.of(repository.host);
      await pushLayout(layout, repository.path, registry, work.signal);
      const reference = `${nameOf(repository)}@${layout.digest}`;
      work.onEvent(target.name, { kind: "pushed", reference });
    }
    return result(layout.digest);
  } catch (error) {
    if (work.signal.aborted) return result(undefined, cancelled(target));
    if (error instanceof UserError) return result(undefined, error);
    throw error;
  } finally {
    await forget(list, work);
    await rm(folder, { recursive: true, force: true });
  }
}

function refuse(target: BakeTarget): void {
  const { refused } = limitsOf(target);
  if (refused.length === 0) return;
  throw new UserError({
    title: `${target.name}: buildah cannot do what is asked for`,
    cause: `With buildah there is no ${refused.join(", no ")}.`,
    remedy: "Build with BuildKit (leave out `driver: buildah`), or leave that out.",
  });
}

interface Where {
  readonly list: string;
  readonly folder: string;
  readonly dockerfile: string;
  /** What the Dockerfile says; empty where that is not here. */
  readonly text: string;
}

async function readDockerfile(
  target: BakeTarget,
  folder: string,
): Promise<Pick<Where, "dockerfile" | "text">> {
  const { dockerfileInline, dockerfile } = target;
  if (dockerfileInline === undefined) {
    const text = isAbsolute(dockerfile) ? await readFile(dockerfile, "utf8").catch(() => "") : "";
    return { dockerfile, text };
  }
  const file = join(folder, "Dockerfile");
  await writeFile(file, dockerfileInline, { mode: 0o600 });
  return { dockerfile: file, text: dockerfileInline };
}

function environmentOf(target: BakeTarget, text: string, folder: string, work: Work) {
  return surroundings([target], [text], folder, { ...work.environment, ...work.docker });
}

type Place = Where & { readonly environment: Environment };

async function build(
  target: BakeTarget,
  { list, dockerfile, text, environment }: Place,
  progress: BuildahProgress,
  work: Work,
): Promise<void> {
  const { signal, secrets, isolation } = work;
  const args = buildArguments(target, { list, isolation, dockerfile });
  const deadline = target.timeout ?? work.timeout;
  const onLine = (line: string) => progress.read(line);
  try {
    const command = { program: "buildah", args, environment };
    await execute(command, { signal, secrets, deadline, keep: 4_096, onLine });
    progress.end();
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof CommandFailed)) throw error;
    if (error.why === "deadline") throw late(target, deadline, progress);
    const { name, dockerfileShown } = target;
    const { output } = progress;
    const said = progress.error || error.message;
    throw buildahFailure({ name, dockerfile: dockerfileShown, text, error: said, output });
  }
}

/** Lays the image out in a folder, for buildah's own digest is not that of what it pushes. */
async function exportList(
  target: BakeTarget,
  { list, folder, environment }: Place,
  { signal, secrets }: Work,
): Promise<Layout> {
  const to = join(folder, "image");
  const command = {
    program: "buildah",
    args: ["manifest", "push", "--all", list, `oci:${to}`],
    environment,
  };
  try {
    await execute(command, { signal, secrets, deadline: EXPORT_MS, keep: 4_096 });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof CommandFailed)) throw error;
    const said = /^Error: (.*)$/m.exec(error.stderrTail)?.[1] ?? error.message;
    throw new UserError({
      title: `${target.name}: the image cannot be written`,
      cause: `It was built, but writing it for the push failed: ${shorten(said)}.`,
      remedy: "Make room on the runner's disk; RUNNER_TEMP names the folder.",
    });
  }
  const layout = await readLayout(to).catch((error: unknown) => {
    throw new Error(`buildah wrote no image that can be read: ${describe(error)}`);
  });
  expectPlatforms(target, layout);
  return layout;
}

/** A base image of another platform is only a warning to buildah, and runs nowhere. */
function expectPlatforms({ name, platforms = [] }: BakeTarget, layout: Layout): void {
  const missing = platforms.map(normalPlatform).filter((each) => !layout.platforms.includes(each));
  if (missing.length === 0) return;
  throw new UserError({
    title: `${name}: buildah made another platform than asked for`,
    cause: `Asked for were ${platforms.join(", ")}, and what it made is for ${layout.platforms.join(", ")}.`,
    remedy: `Check that the base image exists for ${missing.join(", ")}.`,
  });
}

function late({ name }: BakeTarget, deadline: number, progress: BuildahProgress): UserError {
  const at = progress.step === undefined ? "" : `, at: ${progress.step}`;
  return new UserError({
    title: `${name}: the build took too long`,
    cause: `It was ended after ${Math.round(deadline / 1_000)} s, its timeout${at}.`,
    remedy: "Give the input timeout more, or make that step quicker.",
  });
}

function cancelled({ name }: BakeTarget): UserError {
  return new UserError({
    title: `${name}: cancelled`,
    cause: "The job was cancelled while it was being built.",
    remedy: "Run again; what was built is kept in buildah's layers.",
  });
}

/** The list is ours; the layers stay as the cache of the next build. */
async function forget(list: string, { secrets }: Work): Promise<void> {
  const command = { program: "buildah", args: ["manifest", "rm", list] };
  const signal = AbortSignal.timeout(10_000);
  await execute(command, { signal, secrets }).catch((error: unknown) => {
    if (!(error instanceof CommandFailed) && !signal.aborted) throw error;
  });
}
