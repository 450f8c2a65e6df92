import { realpath, stat } from "node:fs/promises";
import { isAbsolute, relative, resolve } from "node:path";
import { nearestOf } from "../../shared/action/index.ts";
import type { World } from "../../shared/world/index.ts";
import { builderProblems } from "./builder-problems.ts";
import { dockerInputs } from "./docker-inputs.ts";
import { exposedSecrets } from "./exposed-secrets.ts";
import type { Found } from "./from-bake-file.ts";
import { servicesInList } from "./from-list.ts";
import type { Options } from "./inputs.ts";
import { mountedSecretProblems } from "./mounted-secrets.ts";
import { type Naming, openNaming } from "./naming.ts";
import { plan } from "./plan.ts";
import type { PlannedBuild, PlannedService } from "./planned.ts";
import { type Problem, quoted, wrongInputs } from "./problem.ts";
import { ENTITLEMENTS } from "./service-problems.ts";
import { type Ground, type Placed, place, workspaceOf } from "./workspace.ts";

/** A service, its files found. */
export type PlacedService = Placed<PlannedService>;

/** What is only built for services that take it as a context; its files found. */
export type PlacedBuild = Placed<PlannedBuild>;

/** What is to be built. */
export interface Order {
  readonly services: readonly [PlacedService, ...PlacedService[]];
  readonly dependencies: readonly PlacedBuild[];
  /** What the user may want to know, and need not act on. */
  readonly notes: readonly string[];
  /** How the images are labelled. */
  readonly naming: Naming;
}

/** The inputs that say what to build, one of which is given. */
const SOURCES = ["name", "services", "bakeFile", "folders"] as const;

/**
 * What the step is to build, from whichever source it names: one service, a list, bake or compose
 * files, or folders.
 *
 * @throws {UserError} with everything that is wrong, before anything is done.
 */
export async function findServices(options: Options, world: World): Promise<Order> {
  const { environment, secrets } = world;
  const combined = [...wrongCombinations(options), ...dockerInputs(environment)];
  const [naming, source] = await Promise.all([
    openNaming(options, world),
    findWritten(options, world, combined),
  ]);
  const crowd = tooMany(source);
  const found = crowd.length === 0 ? source : { ...source, written: [] };
  const planned = plan(options, found.written, naming);
  const ground = { environment, secrets, secretsNeeded: options.mode !== "plan" };
  const services = await Promise.all(planned.services.map((each) => place(each, ground)));
  const dependencies = await Promise.all(planned.dependencies.map((each) => place(each, ground)));
  const placed = [...services, ...dependencies];
  // By now the builds' own secrets are known, too.
  const isKnownSecret = (text: string) => secrets.redact(text) !== text;
  const problems = [
    ...combined,
    ...builderProblems(options),
    ...found.problems,
    ...crowd,
    ...naming.problems,
    ...planned.problems,
    ...planned.services.flatMap((each) => labelProblems(each, naming)),
    ...placed.flatMap((each) => each.problems),
    ...placed.flatMap((each) => exposedSecrets(each.placed, options, isKnownSecret)),
    ...(await mountProblems(placed, ground)),
  ];
  const [first, ...others] = services.map(({ placed }) => placed);
  if (problems.length > 0) throw wrongInputs(problems);
  if (first === undefined) {
    throw wrongInputs([{ where: shownSources(options), problem: "it names no service" }]);
  }
  const order = {
    services: [first, ...others] as const,
    dependencies: dependencies.map((each) => each.placed),
  };
  const unset = [...order.services, ...order.dependencies].flatMap(({ prefix, unset: ids }) =>
    ids.map((id) => `${prefix}secret ${id} is not set; a plan needs its name alone`),
  );
  const notes = [...found.notes, ...unset];
  for (const note of notes) world.log.info(note);
  return { ...order, notes, naming };
}

/** What is wrong with the labels and annotations of a service's own. */
function labelProblems(service: PlannedService, naming: Naming): readonly Problem[] {
  const { prefix, at } = service;
  const told = (key: string, { problems }: ReturnType<Naming["labelsOf"]>) =>
    problems.map(({ where, problem }) => ({ where: `${prefix}${key}: ${where}`, problem, at }));
  return [
    ...told("labels", naming.labelsOf(service)),
    ...told("annotations", naming.annotationsOf(service)),
  ];
}

/** Of builds whose files are in place. A plan asks for no secrets. */
async function mountProblems(
  placed: readonly Awaited<ReturnType<typeof place>>[],
  { secretsNeeded }: Ground,
): Promise<readonly Problem[]> {
  if (!secretsNeeded) return [];
  const sound = placed.filter(({ problems }) => problems.length === 0);
  const found = await Promise.all(sound.map((each) => mountedSecretProblems(each.placed)));
  return found.flat();
}

/** More services than this are a pattern or a matrix gone wrong; a runner could not build them. */
const MOST_SERVICES = 500;

function tooMany({ written }: Found): readonly Problem[] {
  if (written.length <= MOST_SERVICES) return [];
  const problem = `there are ${written.length} services, at most ${MOST_SERVICES} may be in one step`;
  return [{ where: "services", problem }];
}

/** Services as they are written, in the one source that is given. */
async function findWritten(
  options: Options,
  world: World,
  combined: readonly Problem[],
): Promise<Found> {
  const nothing = { written: [], problems: [], notes: [] };
  const { bakeFile, folders } = options;
  if (bakeFile === undefined && folders === undefined) {
    return { ...nothing, written: servicesInList(options) };
  }
  // Which of two sources is meant, nobody knows.
  if (combined.length > 0) return nothing;
  const workspace = await workspaceOf(world.environment);
  const folder = await startOf(options.context, workspace);
  if (typeof folder !== "string") return { ...nothing, problems: [folder] };
  if (bakeFile !== undefined) {
    const { servicesInBakeFile } = await import("./from-bake-file.ts");
    return servicesInBakeFile(bakeFile, options, folder, workspace, world);
  }
  const { servicesInFolders } = await import("./from-folders.ts");
  return servicesInFolders(folders ?? "", options, folder, workspace);
}

/** The folder that files and patterns are looked for in: the input `context`. */
async function startOf(context: string, workspace: string): Promise<string | Problem> {
  const wanted = isAbsolute(context) ? context : resolve(workspace, context);
  const real = await realpath(wanted).catch(() => undefined);
  const found = real === undefined ? undefined : await stat(real);
  if (real === undefined || found?.isDirectory() !== true) {
    return {
      where: "context",
      problem: `there is no folder ${JSON.stringify(context)} in the workspace`,
    };
  }
  if (real !== workspace && relative(workspace, real).startsWith("..")) {
    return { where: "context", problem: `${JSON.stringify(context)} is outside the workspace` };
  }
  return real;
}

function nameOfSource(source: (typeof SOURCES)[number]): string {
  return source === "bakeFile" ? "bake-file" : source;
}

function shownSources(options: Options): string {
  return SOURCES.filter((source) => options[source] !== undefined)
    .map(nameOfSource)
    .join(", ");
}

/** What does not go together among the inputs. Pure. */
export function wrongCombinations(options: Options): readonly Problem[] {
  const problems: Problem[] = [];
  const { username, password, bakeFile, folders, services } = options;
  const given = SOURCES.filter((source) => options[source] !== undefined);
  const shown = given.map(nameOfSource);
  const forbid = (key: "dockerfile" | "target" | "targets", problem: string) => {
    if (options[key] !== undefined) problems.push({ where: key, problem });
  };
  if (given.length === 0) {
    const problem = "give name for one service, or services, bake-file or folders for several";
    problems.push({ where: "name", problem });
  }
  if (given.length > 1) {
    const problem = `with ${shown.slice(1).join(" and ")} there are two sources of services; give one`;
    problems.push({ where: shown[0] ?? "name", problem });
  }
  if (services !== undefined) {
    for (const key of ["dockerfile", "target"] as const) {
      forbid(key, "with services it belongs into their list");
    }
  }
  if (bakeFile !== undefined) {
    for (const key of ["dockerfile", "target"] as const)
      forbid(key, "with bake-file it belongs into the file");
  } else forbid("targets", "it chooses among the targets of a bake-file, and none is given");
  if (folders !== undefined) forbid("target", "it is a stage of one Dockerfile; use services");
  for (const target of options.targets ?? []) {
    // buildx takes an address among its targets for a definition to fetch.
    if (/^[\w.*?[\]^-]+$/.test(target)) continue;
    const problem = `${quoted(target)} is no name of a target; it is made of letters, digits, \`_\` and \`-\``;
    problems.push({ where: "targets", problem });
  }
  for (const right of options.allow ?? []) {
    if (ENTITLEMENTS.some((known) => known === right)) continue;
    const problem = `${JSON.stringify(right)}: there is no such right; ${nearestOf(right, ENTITLEMENTS)}`;
    problems.push({ where: "allow", problem });
  }
  if ((username === undefined) !== (password === undefined)) {
    const where = username === undefined ? "username" : "password";
    problems.push({ where, problem: "username and password go together; it is missing or empty" });
  }
  return problems;
}
