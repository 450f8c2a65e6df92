import { readFile, realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import type { BuildSecret } from "../../shared/buildkit/index.ts";
import { codeOf, describe } from "../../shared/failure/index.ts";
import type { Secrets } from "../../shared/secrets/index.ts";
import { isFolder } from "./plan.ts";
import type { PlannedBuild } from "./planned.ts";
import type { Problem } from "./problem.ts";
import type { SecretSource } from "./service-input.ts";

/** A build whose files were found, as absolute paths free of symbolic links. */
export type Placed<B extends PlannedBuild> = Omit<B, "secrets"> & {
  /** The Dockerfile, relative to the workspace. */
  readonly dockerfileShown: string;
  readonly secrets: readonly BuildSecret[];
  /** Ids of secrets and keys that are not there, where nothing is to be built with them. */
  readonly unset: readonly string[];
};

/** Where files are looked for, and what is done with what is secret. */
export interface Ground {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly secrets: Secrets;
  /** Whether secrets must be there: a plan needs no more than their names. */
  readonly secretsNeeded: boolean;
}

/** The folder that all that is built lies in; absolute, free of symbolic links. */
export function workspaceOf(environment: Ground["environment"]): Promise<string> {
  return realpath(environment.GITHUB_WORKSPACE || process.cwd());
}

/**
 * Finds the files that a build names: its contexts and Dockerfile inside the workspace, also after
 * following links, and its secrets, which are hidden from then on. What is placed is of use only
 * when there are no problems.
 */
export async function place<B extends PlannedBuild>(
  build: B,
  ground: Ground,
): Promise<{ readonly placed: Placed<B>; readonly problems: readonly Problem[] }> {
  const { prefix, at } = build;
  const problems: Problem[] = [];
  const refuse = (key: string, problem: string) => {
    problems.push({ where: `${prefix}${key}`, problem, at });
    return "";
  };
  const attempt = (key: string, found: Promise<string>) =>
    found.catch((error: unknown) => refuse(key, wordsOf(error)));
  const workspace = await workspaceOf(ground.environment);
  const context = await attempt("context", findContext(build, workspace));
  const contexts = await placeContexts(build, workspace, attempt);
  const dockerfile =
    build.dockerfileInline !== undefined || context === ""
      ? ""
      : await attempt("dockerfile", find(context, build.dockerfile, "file", workspace));
  const { found, unset } = await placeSecrets(build, workspace, ground, refuse);
  const keys = await placeKeys(build, workspace, ground, refuse);
  hideCacheKeys(build, ground.secrets);
  const placed = {
    ...build,
    context,
    contexts,
    dockerfile,
    dockerfileShown:
      build.dockerfileInline === undefined ? relative(workspace, dockerfile) : "dockerfile-inline",
    secrets: found,
    ssh: keys.ssh,
    unset: [...unset, ...keys.unset],
  };
  return { placed, problems };
}

/** What keeps a path from being used, in words for the user. */
class Misplaced extends Error {}

function wordsOf(error: unknown): string {
  if (!(error instanceof Misplaced)) throw error;
  return error.message;
}

/** The context; where it is not found, with a word on where docker compose would look for it. */
async function findContext(build: PlannedBuild, workspace: string): Promise<string> {
  try {
    return await find(workspace, build.context, "folder", workspace);
  } catch (error) {
    const folder = dirname(build.at?.file ?? "");
    const beside = await stat(join(workspace, folder, build.context)).catch(() => undefined);
    if (folder === "." || isAbsolute(build.context) || !beside?.isDirectory()) throw error;
    throw new Misplaced(
      `${wordsOf(error)}; there is one in ${folder}: as for buildx, paths start from the input context, so give context: ${folder} and the name of the file in it`,
    );
  }
}

async function placeContexts(
  { contexts }: PlannedBuild,
  workspace: string,
  attempt: (key: string, found: Promise<string>) => Promise<string>,
): Promise<Readonly<Record<string, string>>> {
  const placed = Object.entries(contexts).map(async ([name, value]) => {
    const place = isFolder(value)
      ? await attempt(`contexts.${name}`, find(workspace, value, "folder", workspace))
      : await attempt(`contexts.${name}`, elsewhere(value));
    return [name, place] as const;
  });
  return Object.fromEntries(await Promise.all(placed));
}

/** A named context that is no folder. BuildKit fetches it by itself. */
async function elsewhere(value: string): Promise<string> {
  if (/^(target:|docker-image:\/\/|https:\/\/|git:\/\/|ssh:\/\/|git@)[^\s]+$/.test(value)) {
    return value;
  }
  const quoted = JSON.stringify(value);
  if (value.startsWith("http://")) {
    throw new Misplaced(`${quoted} can be changed on its way here; use https`);
  }
  throw new Misplaced(
    `${quoted} is neither a folder of the workspace nor docker-image://, target: or an https address`,
  );
}

async function find(
  base: string,
  path: string,
  kind: "folder" | "file",
  workspace: string,
): Promise<string> {
  if (/^(https?|git|ssh|oci-layout|docker-image):\/\/|^git@|^target:/.test(path)) {
    throw new Misplaced(`${JSON.stringify(path)} is an address; check it out and name its folder`);
  }
  if (/[\n\r\0]/.test(path)) {
    throw new Misplaced(`${JSON.stringify(path)} holds a line break, which no path does`);
  }
  const wanted = isAbsolute(path) ? path : resolve(base, path);
  const real = await realpath(wanted).catch((error: unknown) => {
    if (!/^(ENOENT|ENOTDIR)$/.test(codeOf(error) ?? "")) throw new Misplaced(describe(error));
    throw new Misplaced(`there is no ${kind} ${shown(workspace, wanted)} in the workspace`);
  });
  if (!isWithin(real, workspace)) {
    const link = real === wanted ? "" : `, a link to ${real}`;
    throw new Misplaced(`${JSON.stringify(path)} is outside the workspace${link}`);
  }
  const found = await stat(real);
  if (kind === "folder" ? found.isDirectory() : found.isFile()) return real;
  throw new Misplaced(`${shown(workspace, wanted)} is no ${kind}`);
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function shown(workspace: string, path: string): string {
  return JSON.stringify(isWithin(path, workspace) ? relative(workspace, path) || "." : path);
}

type Refuse = (key: string, problem: string) => unknown;

async function placeSecrets(
  build: PlannedBuild,
  workspace: string,
  { environment, secrets, secretsNeeded }: Ground,
  refuse: Refuse,
): Promise<{ readonly found: readonly BuildSecret[]; readonly unset: readonly string[] }> {
  const found: BuildSecret[] = [];
  const unset: string[] = [];
  for (const [id, source] of Object.entries(build.secrets)) {
    try {
      found.push(await findSecret(id, source, workspace, environment, secrets));
    } catch (error) {
      const problem = wordsOf(error);
      unset.push(id);
      if (secretsNeeded) refuse("secrets", `${id}: ${problem}`);
      else found.push("variable" in source ? { id, ...source } : { id, ...source });
    }
  }
  return { found, unset };
}

async function findSecret(
  id: string,
  source: SecretSource,
  workspace: string,
  environment: Ground["environment"],
  secrets: Secrets,
): Promise<BuildSecret> {
  if ("variable" in source) {
    const value = environment[source.variable];
    if (!value) {
      throw new Misplaced(
        `the environment variable ${source.variable} is not set or empty; set it in the step's env`,
      );
    }
    secrets.add(value);
    return { id, variable: source.variable };
  }
  const { file, content } = await readSecret(source.file, workspace);
  secrets.add(content.trim());
  return { id, file };
}

/** A secret's file may lie outside the workspace, where no build can copy it by accident. */
async function readSecret(
  path: string,
  workspace: string,
): Promise<{ readonly file: string; readonly content: string }> {
  if (/[\n\r\0]/.test(path)) throw new Misplaced("the name of its file holds a line break");
  const file = isAbsolute(path) ? path : join(workspace, path);
  const content = await readFile(file, "utf8").catch((error: unknown) => {
    throw new Misplaced(`its file cannot be read: ${describe(error)}`);
  });
  if (content.trim() === "") throw new Misplaced(`its file ${shown(workspace, file)} is empty`);
  return { file, content };
}

/** Keys and agents for `RUN --mount=type=ssh`. */
async function placeKeys(
  build: PlannedBuild,
  workspace: string,
  { environment, secrets, secretsNeeded }: Ground,
  refuse: Refuse,
) {
  const unset: string[] = [];
  const ssh: { readonly id: string; readonly paths: readonly string[] }[] = [];
  for (const { id, paths } of build.ssh) {
    try {
      if (paths.length === 0) await expectAgent(environment);
      ssh.push({
        id,
        paths: await Promise.all(paths.map((path) => key(path, workspace, secrets))),
      });
    } catch (error) {
      const problem = wordsOf(error);
      unset.push(id);
      if (secretsNeeded) refuse("ssh", `${id}: ${problem}`);
      else ssh.push({ id, paths });
    }
  }
  return { ssh, unset };
}

async function expectAgent({ SSH_AUTH_SOCK: socket }: Ground["environment"]): Promise<void> {
  const start = "start one in a step before, as webfactory/ssh-agent does";
  if (!socket) throw new Misplaced(`there is no agent, for SSH_AUTH_SOCK is not set; ${start}`);
  const found = await stat(socket).catch(() => undefined);
  if (found === undefined)
    throw new Misplaced(`the agent's socket ${socket} is not there; ${start}`);
}

/** A private key, whose text is a secret, or the socket of an agent. */
async function key(path: string, workspace: string, secrets: Secrets): Promise<string> {
  const file = isAbsolute(path) ? path : join(workspace, path);
  const found = await stat(file).catch((error: unknown) => {
    throw new Misplaced(`its file cannot be read: ${describe(error)}`);
  });
  if (found.isFile()) secrets.add((await readSecret(file, workspace)).content.trim());
  return file;
}

/** Credentials of caches stand within their options. */
function hideCacheKeys({ cacheFrom, cacheTo }: PlannedBuild, secrets: Secrets): void {
  for (const option of [...cacheFrom, ...cacheTo]) {
    for (const [, value = ""] of option.matchAll(
      /(?:^|,)"?(?:token|ghtoken|secret_access_key|session_token|account_key)=([^",]+)/gi,
    )) {
      secrets.add(value);
    }
  }
}
