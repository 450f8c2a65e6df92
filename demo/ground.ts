import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { UserError } from "../shared/failure/index.ts";
import { CommandFailed, execute } from "../shared/process/index.ts";
import { Secrets } from "../shared/secrets/index.ts";
import { type Endpoints, endpoints, status } from "../test/testbed/index.ts";
import type { Story } from "./story.ts";

/** The servers and programs that the demo works with. */
export interface Ground {
  readonly kubeconfig: string;
  /** Where images go: host, and a path where the user named one. */
  readonly registry: string;
  /** What the quickstart's image is made from; the Dockerfile's own default when undefined. */
  readonly baseImage: string | undefined;
  /** Folders to put first on the PATH. */
  readonly path: readonly string[];
  /** For programs that build: where Docker's settings are, which builder they use. */
  readonly environment: Readonly<Record<string, string>>;
  /** In words, for the story. */
  readonly words: string;
  /** Whether the demo itself has set it up just now. */
  readonly isNew: boolean;
  /** The command that removes what the demo leaves. */
  readonly removal: string;
}

const WANTED = ["kubernetes", "registry", "buildkit", "node-image", "helm", "kubectl", "act"];
/** What the demo calls itself, and how to ask whether it is there. */
const PROBES: Readonly<Record<string, readonly string[]>> = {
  helm: ["helm", "version"],
  act: ["act", "--version"],
  "docker with buildx": ["docker", "buildx", "version"],
};
/** Those that the test bed can build. */
const TOOLS = ["helm", "act"];
const REMOVAL = "npm run demo -- --down";
const TESTBED = join(import.meta.dirname, "..", "test", "testbed", "main.ts");

/**
 * Finds the servers to work with: those that the user named, else the test bed's, which is brought
 * up with what is needed and no more. `folder` is the demo's own, for settings that last as long.
 *
 * @throws {UserError} when the user named half of them, or this machine cannot host the test bed.
 */
export async function findGround(
  environment: NodeJS.ProcessEnv,
  folder: string,
  story: Story,
  signal: AbortSignal,
): Promise<Ground> {
  const kubeconfig = environment.SEAWORTHY_KUBECONFIG;
  const registry = environment.SEAWORTHY_REGISTRY;
  if (!kubeconfig && !registry) return testbedGround(story, signal);
  if (!kubeconfig || !registry) throw halfNamed(kubeconfig ? "cluster" : "registry");
  return usersGround(environment, { kubeconfig, registry, folder }, story, signal);
}

/** Takes the test bed down. A user's own servers are left alone. */
export async function removeTestbed(story: Story): Promise<void> {
  await testbed(["down"], story, new AbortController().signal);
}

async function testbedGround(story: Story, signal: AbortSignal): Promise<Ground> {
  const wasUp = (await status()).length > 0;
  if (!wasUp) story.tell("Setting up a cluster and a registry on this machine");
  try {
    await testbed(["up", ...WANTED], story, signal);
  } catch (error) {
    // What was begun here ends here.
    if (signal.aborted && !wasUp) await removeTestbed(story);
    throw error;
  }
  const found = await endpoints();
  return {
    ...groundOf(found),
    words: "a Kubernetes cluster of one node, a registry and BuildKit, all on this machine",
    isNew: !wasUp,
    removal: REMOVAL,
  };
}

function groundOf({ kubeconfig, registry, nodeImage, bin, dockerConfig }: Endpoints) {
  return {
    kubeconfig,
    registry,
    baseImage: nodeImage,
    path: [bin],
    environment: { DOCKER_CONFIG: dockerConfig, BUILDX_BUILDER: "seaworthy" },
  };
}

/** With the user's cluster and registry, images are built as the user builds them. */
async function usersGround(
  environment: NodeJS.ProcessEnv,
  {
    kubeconfig,
    registry,
    folder,
  }: { readonly kubeconfig: string; readonly registry: string; readonly folder: string },
  story: Story,
  signal: AbortSignal,
): Promise<Ground> {
  await readFile(kubeconfig).catch((error: Error) => {
    throw new UserError({
      title: "The kubeconfig cannot be read",
      cause: `${kubeconfig}: ${error.message}.`,
      remedy: "Name a file by --kubeconfig or SEAWORTHY_KUBECONFIG.",
    });
  });
  const path = await toolsOnPath(story, signal);
  const docker = environment.DOCKER_CONFIG ?? join(homedir(), ".docker");
  const buildkit = environment.SEAWORTHY_BUILDKIT;
  return {
    kubeconfig,
    registry,
    baseImage: environment.SEAWORTHY_BASE_IMAGE,
    path,
    environment: {
      DOCKER_CONFIG: docker,
      ...(buildkit
        ? await remoteBuilder(buildkit, folder, signal)
        : pick(environment, ["BUILDX_BUILDER", "BUILDX_CONFIG"])),
    },
    words: `your cluster (${kubeconfig}) and your registry (${registry})`,
    isNew: false,
    removal: `${REMOVAL} --kubeconfig ${kubeconfig}`,
  };
}

/** Points buildx at a BuildKit, in settings of the demo's own: the user's stay as they are. */
async function remoteBuilder(
  address: string,
  folder: string,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const BUILDX_CONFIG = join(folder, "buildx");
  const name = "seaworthy-demo";
  await execute(
    {
      program: "docker",
      args: ["buildx", "create", "--name", name, "--driver", "remote", address],
      environment: { BUILDX_CONFIG },
    },
    { signal, secrets: new Secrets() },
  );
  return { BUILDX_CONFIG, BUILDX_BUILDER: name };
}

function pick(environment: NodeJS.ProcessEnv, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = environment[name];
      return value ? [[name, value] as const] : [];
    }),
  );
}

/** The user's own programs; those that are missing are built where this machine can. */
async function toolsOnPath(story: Story, signal: AbortSignal): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const tool of Object.keys(PROBES)) {
    if (!(await runs(tool, signal))) missing.push(tool);
  }
  const buildable = process.platform === "linux" ? TOOLS : [];
  const needed = missing.filter((tool) => !buildable.includes(tool));
  if (needed.length > 0) {
    throw new UserError({
      title: "Programs are missing",
      cause: `With servers of yours the demo needs ${needed.join(", ")} on the PATH.`,
      remedy: `Install ${needed.join(", ")}, and try again.`,
    });
  }
  if (missing.length === 0) return [];
  await testbed(["up", ...missing], story, signal);
  return [(await endpoints()).bin];
}

async function runs(tool: string, signal: AbortSignal): Promise<boolean> {
  const [program = "", ...args] = PROBES[tool] ?? [];
  try {
    await execute({ program, args }, { signal, secrets: new Secrets() });
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CommandFailed) return false;
    throw error;
  }
}

/** Runs the test bed's program: as a process of its own, for then it can be interrupted. */
async function testbed(args: readonly string[], story: Story, signal: AbortSignal): Promise<void> {
  const lines: string[] = [];
  const onLine = (line: string) => {
    lines.push(line);
    story.quote(line);
  };
  try {
    await execute(
      { program: process.execPath, args: [TESTBED, ...args] },
      { signal, secrets: new Secrets(), onLine },
    );
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof CommandFailed)) throw error;
    throw new UserError(
      {
        title: `The test bed did not ${args[0] === "up" ? "come up" : "go down"}`,
        cause: lines.slice(-12).join("\n") || error.message,
        remedy:
          "Mend what it names; or use servers of yours: npm run demo -- --kubeconfig FILE --registry HOST/PATH",
      },
      { reason: error },
    );
  }
}

function halfNamed(given: "cluster" | "registry"): UserError {
  const other = given === "cluster" ? "registry" : "cluster";
  return new UserError({
    title: `Name a ${other} too`,
    cause: `You named a ${given} of yours and no ${other}: your cluster cannot pull from a registry on this machine, nor this machine's cluster be sure to reach yours.`,
    remedy:
      "Give both --kubeconfig and --registry (or SEAWORTHY_KUBECONFIG and SEAWORTHY_REGISTRY), or neither.",
  });
}
