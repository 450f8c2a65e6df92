import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../failure/index.ts";
import { CommandFailed, execute } from "../../process/index.ts";
import { buildxError, shorten } from "../build-error.ts";
import type { Builder, BuilderExecution, StartedBuilder } from "./builder.ts";
import type { TlsMaterial } from "./control.ts";
import { once } from "./once.ts";
import {
  type BuilderSettings,
  builderName,
  createArguments,
  type Driver,
  imageOf,
  machinesOf,
  type NodeSettings,
  nodesOf,
} from "./settings.ts";
import { startFailure } from "./start-failure.ts";
import { factsOf, together, versionAt } from "./version.ts";
import { watchPods } from "./watch-pods.ts";

/** How long buildx may take for its own files. */
const CREATE_MS = 30_000;
/** An image of BuildKit is 100 MB; the driver for Kubernetes has a limit of its own besides. */
const BOOTSTRAP_MS = 300_000;

/**
 * A builder of our own. buildx's notes of it are in the private folder alone, so that the job's
 * builders stay as they are; the container or Deployment itself has a stable name and stays, with
 * its cache, unless told otherwise.
 */
export function makeBuilder(settings: BuilderSettings, execution: BuilderExecution): Builder {
  const driver = settings.driver ?? "remote";
  const nodes = driver === "remote" ? remoteNodes(settings) : nodesOf(settings);
  const unique = settings.keep || driver === "remote" ? undefined : randomBytes(4).toString("hex");
  const name = driver === "remote" ? "seaworthy" : builderName(settings, unique);
  const plan = { name, driver, nodes, settings };
  let begun = false;
  const version = once(() => versionOf(plan, execution));
  return {
    description: descriptionOf(plan),
    version,
    start: once(() => {
      begun = true;
      return start(plan, version, execution);
    }),
    async [Symbol.asyncDispose]() {
      if (begun && unique !== undefined) await remove(plan, execution);
    },
  };
}

interface Plan {
  readonly name: string;
  readonly driver: Driver;
  readonly nodes: readonly NodeSettings[];
  readonly settings: BuilderSettings;
}

function remoteNodes(settings: BuilderSettings): readonly NodeSettings[] {
  const nodes = nodesOf(settings);
  return nodes.map((node) => ({ ...node, endpoint: node.endpoint ?? settings.buildkit }));
}

function descriptionOf({ name, driver, nodes }: Plan): string {
  if (driver === "remote") {
    return `the BuildKit at ${nodes.map(({ endpoint }) => endpoint).join(" and ")}`;
  }
  const many = nodes.length > 1 ? ` of ${nodes.length} nodes` : "";
  return `the ${driver} builder ${name}${many}, from ${together(nodes.map((node) => imageOf(node.options)))}`;
}

async function versionOf(
  { name, driver, nodes, settings }: Plan,
  { signal }: BuilderExecution,
): Promise<string> {
  if (driver !== "remote") {
    return together(nodes.map((node) => `${driver} ${factsOf(driver, node)}`));
  }
  const versions = await Promise.all(
    nodes.map(({ endpoint = "" }) => versionAt(endpoint, settings.tls, signal)),
  );
  // One that only buildx can reach counts by its address: what is there is asked when it builds.
  return together(versions.map((version, index) => version ?? nodes[index]?.endpoint ?? name));
}

async function start(
  plan: Plan,
  reach: () => Promise<string>,
  execution: BuilderExecution,
): Promise<StartedBuilder> {
  const { name, driver, nodes, settings } = plan;
  const { docker, folder, log } = execution;
  const config = join(folder, "buildx");
  await mkdir(config, { recursive: true, mode: 0o700 });
  const environment = { ...docker, BUILDX_CONFIG: config };
  const tls = driver === "remote" ? await tlsOptions(settings.tls, folder) : {};
  const configFile = await configFileOf(plan, folder);
  if (driver === "remote") await reach();
  const secured = nodes.map((node) => ({ ...node, options: { ...node.options, ...tls } }));
  for (const args of createArguments(name, driver, secured, configFile)) {
    await call(plan, args, environment, CREATE_MS, execution);
  }
  if (driver !== "remote") {
    log.info(`Starting ${descriptionOf(plan)}`);
    await bootstrap(plan, environment, execution).catch(async (failure: unknown) => {
      if (isOfNoUse(plan, failure)) await remove(plan, execution);
      throw failure;
    });
  }
  return { name, driver, nodes: machinesOf(nodes), environment };
}

/**
 * Whether a Deployment that was made is to go again: one that never had a pod ready would only wait
 * in the cluster, under a name that nobody looks for once the settings are corrected.
 */
function isOfNoUse({ driver }: Plan, failure: unknown): boolean {
  if (driver !== "kubernetes" || !(failure instanceof UserError)) return false;
  return !/, [1-9]\d* of \d+ pods became ready/.test(failure.cause);
}

/** Waits for every node to answer; a pod that cannot start is not waited for to the end. */
async function bootstrap(
  plan: Plan,
  environment: Readonly<Record<string, string>>,
  execution: BuilderExecution,
): Promise<void> {
  const hopeless = new AbortController();
  using watch = plan.driver === "kubernetes" ? watchPods(plan, execution, hopeless) : undefined;
  const signal = AbortSignal.any([execution.signal, hopeless.signal]);
  try {
    const args = ["inspect", "--bootstrap", plan.name];
    await call(plan, args, environment, BOOTSTRAP_MS, { ...execution, signal }, () =>
      watch?.last(),
    );
  } catch (error) {
    execution.signal.throwIfAborted();
    throw hopeless.signal.aborted ? hopeless.signal.reason : error;
  }
}

async function call(
  plan: Plan,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  deadline: number,
  execution: BuilderExecution,
  pods: () => string | undefined = () => undefined,
): Promise<void> {
  const { buildx } = execution;
  try {
    const command = { program: buildx.program, args: [...buildx.args, ...args], environment };
    const { stdout } = await execute(command, { ...execution, deadline });
    // `inspect` succeeds where a node does not.
    const error = /^Error: *(.+)$/m.exec(stdout)?.[1];
    if (error !== undefined) throw startFailure(plan, execution.secrets.redact(error), pods());
  } catch (error) {
    if (!(error instanceof CommandFailed) || error.why === "cancelled") throw error;
    const said = buildxError(error.stderrTail.split("\n"));
    const words = error.why === "exit" ? shorten(said) || "nothing" : error.message;
    throw startFailure(plan, words, pods(), error);
  }
}

/** buildx takes TLS as names of files; they are as private as their folder. */
async function tlsOptions(
  tls: TlsMaterial | undefined,
  folder: string,
): Promise<Readonly<Record<string, string>>> {
  if (tls === undefined) return {};
  const files = { cacert: tls.ca, cert: tls.cert, key: tls.key };
  const given = Object.entries(files).flatMap(([option, text]) =>
    text === undefined ? [] : [{ option, text, file: join(folder, `buildkit-${option}.pem`) }],
  );
  await Promise.all(given.map(({ file, text }) => writeFile(file, `${text}\n`, { mode: 0o600 })));
  const name = tls.servername === undefined ? {} : { servername: tls.servername };
  return { ...Object.fromEntries(given.map(({ option, file }) => [option, file])), ...name };
}

async function configFileOf(
  { settings: { config }, driver }: Plan,
  folder: string,
): Promise<string | undefined> {
  if (config === undefined || driver === "remote") return undefined;
  const file = join(folder, "buildkitd.toml");
  await writeFile(file, config, { mode: 0o600 });
  return file;
}

async function remove(plan: Plan, execution: BuilderExecution): Promise<void> {
  const { buildx, docker, folder, aftermath, log } = execution;
  const environment = { ...docker, BUILDX_CONFIG: join(folder, "buildx") };
  const args = [...buildx.args, "rm", "--force", plan.name];
  try {
    const command = { program: buildx.program, args, environment };
    await execute(command, { ...execution, signal: aftermath, deadline: CREATE_MS });
  } catch (error) {
    if (!(error instanceof CommandFailed) && !aftermath.aborted) throw error;
    log.warning(`The builder ${plan.name} could not be removed: ${said(error)}`);
  }
}

function said(error: unknown): string {
  if (!(error instanceof CommandFailed)) return "there was no time left";
  return shorten(buildxError(error.stderrTail.split("\n"))) || error.message;
}
