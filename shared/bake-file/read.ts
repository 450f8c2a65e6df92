import { readFile } from "node:fs/promises";
import { relative } from "node:path";
import { nearestName, UserError } from "../failure/index.ts";
import { CommandFailed, type Completed, type Execution, execute } from "../process/index.ts";
import { type ComposeFacts, composeFacts, isCompose } from "./compose.ts";
import { type PrintedDefinition, targetsIn } from "./definition.ts";
import type { DefinitionFile } from "./files.ts";
import { placeOfTarget, type ReadFile } from "./place.ts";
import { lastError, placeOfWord, readError } from "./read-error.ts";
import type { BakeFile, BakeFileTarget } from "./target.ts";
import { unknownKeys } from "./unknown-keys.ts";

export interface BakeFileRequest {
  readonly files: readonly DefinitionFile[];
  /** Names of targets and groups, and patterns of names; the group `default` when there are none. */
  readonly targets: readonly string[];
  /** The folder that the paths in the files are relative to; absolute. */
  readonly directory: string;
  /** How buildx is called here. */
  readonly buildx: { readonly program: string; readonly args: readonly string[] };
  /** Of this process: files may take variables from it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** It reads files, and asks nobody. */
const DEADLINE_MS = 60_000;

/**
 * What bake and compose files define, read by buildx itself: functions, matrices, inheritance,
 * merged files and variables mean what they mean to `docker buildx bake`. No builder is needed, no
 * registry asked, nothing built.
 *
 * @throws {UserError} when there is no such target, or the files cannot be read, with the line.
 */
export async function readBakeFile(
  request: BakeFileRequest,
  execution: Pick<Execution, "signal" | "secrets">,
): Promise<BakeFile> {
  const files = await Promise.all(
    request.files.map(async ({ path, shown }) => ({ shown, text: await readFile(path, "utf8") })),
  );
  const definition = await print(request, files, execution);
  const targets = targetsIn(definition, {
    environment: request.environment,
    placeOf: (target) => placeOfTarget(files, target),
    directory: request.directory,
  });
  const facts = files.map((file) =>
    isCompose(file.shown)
      ? composeFacts(file.text, file.shown)
      : { ...unknownKeys(file), platforms: new Map<string, string>() },
  );
  if (targets.some(({ linked }) => !linked)) {
    return {
      targets: targets.map((target) => withFacts(target, facts)),
      refusals: unattached(facts, targets),
      notes: facts.flatMap(({ notes }) => notes),
    };
  }
  const names = files.map(({ shown }) => shown).join(", ");
  throw new UserError({
    title: `${names} has nothing to build`,
    cause: `Of ${request.targets.join(", ") || "the group default"} in ${names} there is no target to build.`,
    remedy: "Name targets that have a Dockerfile, or services with a build section, in `targets`.",
    at: files[0] && { file: files[0].shown, line: 1 },
  });
}

/** Of blocks that make targets of other names, or give them what they inherit. */
function unattached(
  facts: readonly ComposeFacts[],
  targets: readonly BakeFileTarget[],
): BakeFile["refusals"] {
  return facts
    .flatMap(({ refusals }) => [...refusals])
    .filter(([target]) => !targets.some(({ name }) => name === target))
    .flatMap(([target, refusals]) => refusals.map((refusal) => ({ target, ...refusal })))
    .filter(({ forOthers }) => forOthers === true);
}

function withFacts(target: BakeFileTarget, facts: readonly ComposeFacts[]): BakeFileTarget {
  const refusals = facts.flatMap((each) => each.refusals.get(target.name) ?? []);
  const platform = facts.findLast((each) => each.platforms.has(target.name));
  const own = platform?.platforms.get(target.name);
  const platforms = target.platforms.length > 0 || own === undefined ? target.platforms : [own];
  return { ...target, platforms, refusals: [...target.refusals, ...refusals] };
}

async function print(
  request: BakeFileRequest,
  files: readonly ReadFile[],
  execution: Pick<Execution, "signal" | "secrets">,
): Promise<PrintedDefinition> {
  let assumed: Readonly<Record<string, string>> = {};
  for (;;) {
    try {
      const { stdout } = await bake(request, ["--print"], request.targets, assumed, execution);
      return JSON.parse(stdout) as PrintedDefinition;
    } catch (error) {
      execution.signal.throwIfAborted();
      if (!(error instanceof CommandFailed)) throw error;
      if (error.why !== "exit") throw unended(error, files);
      const id = unsetSecret(error.stderrTail, assumed);
      if (id === undefined) {
        const unknown = await unknownTargets(request, error.stderrTail, files, execution);
        throw unknown ?? readError(error.stderrTail, files);
      }
      // Whether it is set is asked with everything else, and does not matter for a plan.
      assumed = { ...assumed, [id]: "" };
    }
  }
}

function unended(error: CommandFailed, files: readonly ReadFile[]): UserError {
  const names = files.map(({ shown }) => shown).join(", ");
  return new UserError(
    {
      title: `${names} could not be read`,
      cause: `buildx did not come to an end with ${names}: ${error.message}.`,
      remedy: "Look at what the file includes from elsewhere, and at the runner's memory.",
    },
    { reason: error },
  );
}

function bake(
  { buildx, directory, files, environment }: BakeFileRequest,
  args: readonly string[],
  targets: readonly string[],
  assumed: Readonly<Record<string, string>>,
  execution: Pick<Execution, "signal" | "secrets">,
): Promise<Completed> {
  const command = {
    program: buildx.program,
    args: [
      ...buildx.args,
      "bake",
      "--progress=quiet",
      // As a user would name them: compose looks beside a file for others by these names.
      ...files.map(({ path }) => `--file=${relative(directory, path)}`),
      ...args,
      "--",
      ...targets,
    ],
    directory,
    environment: { ...withheld(environment), ...assumed },
  };
  return execute(command, { ...execution, deadline: DEADLINE_MS });
}

/** What a file has no business to read: inputs of the step, among them passwords, and tokens. */
function withheld(environment: BakeFileRequest["environment"]): Record<string, undefined> {
  const names = Object.keys(environment).filter((name) =>
    /^(INPUT_|STATE_|ACTIONS_RUNTIME_TOKEN$|ACTIONS_ID_TOKEN_)/.test(name),
  );
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

/** A secret that buildx looks for in a file because no variable of its name is set. */
function unsetSecret(
  stderr: string,
  assumed: Readonly<Record<string, string>>,
): string | undefined {
  const [, id, again] = /failed to stat (\S+): stat (\S+): no such file/.exec(stderr) ?? [];
  if (id === undefined || id !== again || !/^[A-Za-z_][\w.-]*$/.test(id)) return undefined;
  return id in assumed ? undefined : id;
}

/** All names that are no target's, with the nearest that is one. */
async function unknownTargets(
  request: BakeFileRequest,
  stderr: string,
  files: readonly ReadFile[],
  execution: Pick<Execution, "signal" | "secrets">,
): Promise<UserError | undefined> {
  const said = lastError(stderr);
  const [, named] = /failed to find target (\S+)|could not find any target/.exec(said) ?? [];
  if (named === undefined && !said.includes("could not find any target")) return undefined;
  const known = await namesIn(request, execution);
  const asked = request.targets.length === 0 ? ["default"] : request.targets;
  const unknown = asked.filter((name) => !matchesOne(name, known));
  const file = files.map(({ shown }) => shown).join(", ");
  if (unknown.length === 0) {
    // A group, a link or an inheritance names it.
    const name = named ?? "";
    return new UserError({
      title: `${file} names a target that does not exist`,
      cause: `There is no target ${JSON.stringify(name)} in ${file}, but something there refers to it${nearest(name, known)}`,
      remedy: `Correct the file; its targets and groups are ${known.join(", ")}.`,
      at: placeOfWord(files, name),
    });
  }
  const noDefault = request.targets.length === 0;
  return new UserError({
    title: noDefault ? `${file} has no group default` : "There is no such target",
    cause: noDefault
      ? `The input targets is left out, and ${file} has neither a group nor a target "default".`
      : unknown
          .map(
            (name) =>
              `There is no target ${JSON.stringify(name)} in ${file}${nearest(name, known)}`,
          )
          .join("\n"),
    remedy: `Give in targets some of ${known.join(", ") || "its targets; it has none"}.`,
  });
}

function nearest(name: string, known: readonly string[]): string {
  const near = nearestName(name, known);
  return near === undefined ? "." : `; did you mean ${near}?`;
}

function matchesOne(pattern: string, known: readonly string[]): boolean {
  if (!/[*?[\]]/.test(pattern)) return known.includes(pattern.replaceAll(".", "_"));
  const form = pattern
    .replace(/[.+^${}()|\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  try {
    return known.some((name) => new RegExp(`^${form}$`).test(name));
  } catch {
    return false;
  }
}

/** The names of all targets and groups; none where buildx is too old to list them. */
async function namesIn(
  request: BakeFileRequest,
  execution: Pick<Execution, "signal" | "secrets">,
): Promise<readonly string[]> {
  try {
    const args = ["--list=type=targets,format=json"];
    const { stdout } = await bake(request, args, [], {}, execution);
    return (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name);
  } catch {
    execution.signal.throwIfAborted();
    return [];
  }
}
