import { readFile, realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import type { BuildSecret } from "../../shared/buildkit/index.ts";
import { codeOf, describe } from "../../shared/failure/index.ts";
import type { Secrets } from "../../shared/secrets/index.ts";
import type { PlannedService, Problem } from "./plan.ts";

/** A service whose files were found, as absolute paths free of symbolic links. */
export interface PlacedService extends Omit<PlannedService, "secrets"> {
  /** The Dockerfile, relative to the workspace. */
  readonly dockerfileShown: string;
  readonly secrets: readonly BuildSecret[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Finds the files that a service names: its context and Dockerfile inside the workspace, also
 * after following links, and its secrets, which are hidden from then on. The placed service is of
 * use only when there are no problems.
 */
export async function place(
  service: PlannedService,
  environment: Environment,
  secrets: Secrets,
): Promise<{ readonly placed: PlacedService; readonly problems: readonly Problem[] }> {
  const problems: Problem[] = [];
  const workspace = await realpath(environment.GITHUB_WORKSPACE || process.cwd());
  const refuse = (key: string, problem: string) => {
    problems.push({ where: `${service.prefix}${key}`, problem });
    return "";
  };
  const context = await find(workspace, service.context, "folder", workspace).catch((error) =>
    refuse("context", (error as Error).message),
  );
  const dockerfile =
    context === ""
      ? ""
      : await find(context, service.dockerfile, "file", workspace).catch((error) =>
          refuse("dockerfile", (error as Error).message),
        );
  const found: BuildSecret[] = [];
  for (const [id, source] of Object.entries(service.secrets)) {
    try {
      found.push(await findSecret(id, source, workspace, environment, secrets));
    } catch (error) {
      refuse("secrets", `${id}: ${(error as Error).message}`);
    }
  }
  const dockerfileShown = relative(workspace, dockerfile);
  const placed = { ...service, context, dockerfile, dockerfileShown, secrets: found };
  return { placed, problems };
}

class Misplaced extends Error {}

async function find(
  base: string,
  path: string,
  kind: "folder" | "file",
  workspace: string,
): Promise<string> {
  if (/^(https?|git|ssh|oci-layout|docker-image):\/\/|^git@/.test(path)) {
    throw new Misplaced(`${JSON.stringify(path)} is an address; check it out and name its folder`);
  }
  const wanted = isAbsolute(path) ? path : resolve(base, path);
  const real = await realpath(wanted).catch((error: unknown) => {
    if (codeOf(error) !== "ENOENT") throw new Misplaced(describe(error));
    throw new Misplaced(`there is no ${kind} ${shown(workspace, wanted)} in the workspace`);
  });
  if (real !== workspace && !real.startsWith(workspace + sep)) {
    const link = real === wanted ? "" : `, a link to ${real}`;
    throw new Misplaced(`${JSON.stringify(path)} is outside the workspace${link}`);
  }
  const found = await stat(real);
  if (kind === "folder" ? found.isDirectory() : found.isFile()) return real;
  throw new Misplaced(`${shown(workspace, wanted)} is no ${kind}`);
}

function shown(workspace: string, path: string): string {
  return JSON.stringify(path.startsWith(workspace + sep) ? relative(workspace, path) : path);
}

async function findSecret(
  id: string,
  source: PlannedService["secrets"][string],
  workspace: string,
  environment: Environment,
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
  // A secret's file may lie outside the workspace, where no build can copy it by accident.
  const file = isAbsolute(source.file) ? source.file : join(workspace, source.file);
  const content = await readFile(file, "utf8").catch((error: unknown) => {
    throw new Misplaced(`its file cannot be read: ${describe(error)}`);
  });
  secrets.add(content.trim());
  return { id, file };
}
