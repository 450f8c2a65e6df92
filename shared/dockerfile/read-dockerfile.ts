import { nearestName, UserError } from "../failure/index.ts";
import { BadSubstitution, expand } from "./expand.ts";
import { type Line, type Lines, linesOf } from "./lines.ts";
import {
  declarations,
  plainName,
  platformArguments,
  type Surroundings,
  variablesOf,
} from "./scope.ts";
import { type Stage, type StageWork, stageWork } from "./stage.ts";

export interface DockerfileOptions {
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** The stage to build; the last one unless given. */
  readonly target?: string | undefined;
  /** The platforms to build for; none means that of the builder. */
  readonly platforms?: readonly string[];
  /** The builder's own platform; that of this machine unless given. */
  readonly buildPlatform?: string;
  /** Names that stand for something else than images: the named contexts of the build. */
  readonly contexts?: readonly string[];
  /** The ONBUILD lines of images, without the word, by the images' names. */
  readonly triggers?: Readonly<Record<string, readonly string[]>>;
  /** The file's path in the workspace, for messages. */
  readonly file?: string;
}

/** An image that a build needs. */
export interface BaseImage {
  /** As the Dockerfile names it, variables replaced: `node:24`. */
  readonly name: string;
  /** The platforms for which it is needed; several where the build is for several. */
  readonly platforms: readonly string[];
  /** The line that names it; 0 for what no line names. */
  readonly line: number;
}

export interface DeclaredArgument {
  readonly name: string;
  /** As it is written; undefined where there is none. */
  readonly value: string | undefined;
  readonly line: number;
}

export interface MountedSecret {
  readonly id: string;
  /** Whether the build fails without it; undefined where the mount does not say. */
  readonly required: boolean | undefined;
  readonly line: number;
}

export interface Dockerfile {
  /** Every image that the target is built on or copies from; no stages, no `scratch`. */
  readonly images: readonly BaseImage[];
  /** The image that reads the file, of `# syntax=` or the argument BUILDKIT_SYNTAX. */
  readonly frontend: string | undefined;
  /** Names of the stages; "" for one without. */
  readonly stages: readonly string[];
  /** Why the content of a build cannot be known beforehand: sentences' ends, with the line. */
  readonly unseen: readonly string[];
  /**
   * The paths of the context that the build can see, perhaps with wildcards; undefined for all of
   * them. What the ONBUILD lines of `bases` add is in it when these were given.
   */
  readonly contextPaths: readonly string[] | undefined;
  /** The images that stages are built on, so that their ONBUILD lines run. */
  readonly bases: readonly string[];
  readonly args: readonly DeclaredArgument[];
  /** Names that ENV sets, with their values as written. */
  readonly env: readonly DeclaredArgument[];
  /** Secrets that RUN mounts, in the stages that the target needs. */
  readonly secrets: readonly MountedSecret[];
}

/**
 * Reads of a Dockerfile what its build depends on besides its context: images, frontend, downloads.
 *
 * @throws {UserError} for what no build can succeed with: no FROM, an unknown target, a heredoc
 *   without an end, a variable that cannot be expanded. The builder knows more mistakes than these.
 */
export function readDockerfile(text: string, options: DockerfileOptions = {}): Dockerfile {
  const { buildArgs = {}, file = "Dockerfile" } = options;
  const parsed = linesOf(text);
  const syntax = buildArgs.BUILDKIT_SYNTAX ?? parsed.syntax;
  const frontend = syntax?.trim().split(/\s+/)[0];
  if (frontend !== undefined && !isUsual(frontend)) return foreign(frontend);
  if (parsed.open !== undefined) throw openHeredoc(parsed.open, file);
  const declared = declaredIn(parsed.lines);
  try {
    const read = platformsOf(options).map((platform) => ({
      platform,
      ...readFor(parsed, platform, options),
    }));
    const all = read.flatMap(({ work }) => work);
    return {
      images: imagesOf(read),
      frontend,
      stages: read[0]?.stages ?? [],
      unseen: [...new Set(all.flatMap(({ unseen }) => unseen))],
      contextPaths: contextPathsOf(all, parsed, buildArgs),
      bases: [...new Set(all.flatMap(({ base }) => (base === undefined ? [] : [base])))],
      ...declared,
      secrets: read[0]?.work.flatMap(({ secrets }) => secrets) ?? [],
    };
  } catch (error) {
    throw error instanceof LineError ? error.asUserError(file) : error;
  }
}

/** Docker's own frontend, also from a mirror. Any other may fetch whatever it likes. */
function isUsual(frontend: string): boolean {
  const [name = ""] = frontend.split("@");
  return /(?:^|\/)dockerfile(?:-upstream)?(?::[^/]*)?$/.test(name);
}

function foreign(frontend: string): Dockerfile {
  const unseen = [`it is read by ${frontend}, and what that fetches cannot be known beforehand`];
  const nothing = { images: [], stages: [], bases: [], args: [], env: [], secrets: [] };
  return { ...nothing, frontend, unseen, contextPaths: undefined };
}

/** A scan for the bill of materials may be told to read the whole context. */
const SCAN = "BUILDKIT_SBOM_SCAN_CONTEXT";

function contextPathsOf(
  works: readonly StageWork[],
  { lines }: Lines,
  buildArgs: Readonly<Record<string, string>>,
): readonly string[] | undefined {
  const isScanned = SCAN in buildArgs || lines.some(({ rest }) => rest.includes(SCAN));
  if (isScanned || works.some(({ seesAll }) => seesAll)) return undefined;
  return [...new Set(works.flatMap(({ sources }) => sources))].sort();
}

function platformsOf({ platforms = [], ...options }: DockerfileOptions): readonly string[] {
  return platforms.length > 0 ? [...new Set(platforms)] : [buildPlatformOf(options)];
}

function buildPlatformOf({ buildPlatform }: DockerfileOptions): string {
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  return buildPlatform ?? `linux/${architecture}`;
}

/** A mistake in a line, before it is known which file it is in. */
class LineError extends Error {
  readonly line: number;
  readonly remedy: string;

  constructor(line: number, cause: string, remedy: string) {
    super(cause);
    this.line = line;
    this.remedy = remedy;
  }

  asUserError(file: string): UserError {
    const at = this.line > 0 ? { file, line: this.line } : undefined;
    const where = this.line > 0 ? `${file}:${this.line}` : file;
    return new UserError({
      title: "The Dockerfile cannot be built",
      cause: `${where}: ${this.message}.`,
      remedy: this.remedy,
      at,
    });
  }
}

function openHeredoc({ name, line }: { name: string; line: number }, file: string): UserError {
  const remedy = `Write ${name} alone in the line behind the text.`;
  return new LineError(line, `the heredoc ${name} has no end`, remedy).asUserError(file);
}

function declaredIn(lines: readonly Line[]): Pick<Dockerfile, "args" | "env"> {
  const of = (keyword: string) =>
    lines
      .filter((line) => line.keyword === keyword)
      .flatMap(({ rest, line }) =>
        declarations(rest).map(([name, value]) => ({ name, value, line })),
      );
  return { args: of("ARG"), env: of("ENV") };
}

interface ReadStages {
  readonly stages: readonly string[];
  /** Of the stages that the target needs. */
  readonly work: readonly StageWork[];
}

function readFor(parsed: Lines, platform: string, options: DockerfileOptions): ReadStages {
  const { buildArgs = {}, target } = options;
  const buildPlatform = buildPlatformOf(options);
  const first = parsed.lines.findIndex(({ keyword }) => keyword === "FROM");
  if (first < 0) {
    throw new LineError(0, "it has no FROM", "Begin with `FROM` and the image to build on.");
  }
  const named = target ?? nameOfLast(parsed.lines);
  const surroundings = { buildArgs, platform, buildPlatform, target: named || "default" };
  const globals = globalArguments(parsed.lines.slice(0, first), parsed.escape, surroundings);
  const stages = stagesOf(parsed.lines.slice(first), globals, parsed.escape);
  const index = targetIndex(stages, target);
  const contexts = new Set((options.contexts ?? []).map(plainName));
  const { triggers = {} } = options;
  const setting = { stages, globals, sign: parsed.escape, surroundings, contexts, triggers };
  const works: StageWork[] = [];
  const mistakes = new Map<number, LineError>();
  for (const [at, stage] of stages.entries()) {
    try {
      works.push(guarded(stage.line, () => stageWork(stage, { ...setting, before: works })));
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      mistakes.set(at, error);
      works.push(NO_WORK);
    }
  }
  const indexes = needed(works, index);
  // Nobody looks into a stage that is not built.
  for (const at of indexes) {
    const mistake = mistakes.get(at);
    if (mistake !== undefined) throw mistake;
  }
  return {
    stages: stages.map(({ name }) => name),
    work: works.filter((_, at) => indexes.has(at)),
  };
}

const NO_WORK: StageWork = {
  stages: [],
  images: [],
  unseen: [],
  sources: [],
  seesAll: false,
  base: undefined,
  secrets: [],
  env: new Map(),
};

function nameOfLast(lines: readonly Line[]): string {
  const last = lines.findLast(({ keyword }) => keyword === "FROM");
  return /\sas\s+(\S+)\s*$/i.exec(last?.rest ?? "")?.[1] ?? "";
}

/** What the ARG lines before the first FROM give; they count in FROM lines, and where named again. */
function globalArguments(
  lines: readonly Line[],
  sign: string,
  from: Surroundings,
): ReadonlyMap<string, string> {
  const values = new Map(platformArguments(from));
  for (const { keyword, rest, line } of lines) {
    if (keyword !== "ARG") continue;
    for (const [name, value] of declarations(rest)) {
      const given = from.buildArgs[name];
      const known =
        given ?? (value === undefined ? undefined : expanded(value, values, sign, line));
      if (known !== undefined) values.set(name, known);
    }
  }
  return values;
}

function stagesOf(
  lines: readonly Line[],
  globals: ReadonlyMap<string, string>,
  sign: string,
): readonly Stage[] {
  const stages: (Stage & { lines: Line[] })[] = [];
  for (const line of lines) {
    if (line.keyword !== "FROM") {
      stages.at(-1)?.lines.push(line);
      continue;
    }
    const [base = "", as, name, ...more] = line.rest.split(/\s+/);
    if (
      base === "" ||
      more.length > 0 ||
      (as !== undefined && (as.toLowerCase() !== "as" || name === undefined))
    ) {
      const remedy = "Write `FROM image` or `FROM image AS name`.";
      throw new LineError(line.line, `FROM ${line.rest} is not understood`, remedy);
    }
    const image = expanded(base, globals, sign, line.line);
    if (image === "") {
      const remedy =
        "Give the argument a value: in build-args, or as the default in its ARG line above the first FROM.";
      throw new LineError(
        line.line,
        `the image ${base} is empty once its arguments are put in`,
        remedy,
      );
    }
    const flag = line.flags.find(([key]) => key === "platform")?.[1];
    const platform = flag === undefined ? undefined : expanded(flag, globals, sign, line.line);
    stages.push({
      name: (name ?? "").toLowerCase(),
      base: image,
      platform,
      line: line.line,
      lines: [],
    });
  }
  return stages;
}

function expanded(
  word: string,
  values: ReadonlyMap<string, string>,
  sign: string,
  line: number,
): string {
  return guarded(line, () => expand(word, variablesOf(values), sign).text);
}

function guarded<T>(line: number, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof BadSubstitution)) throw error;
    const remedy = `Write variables as $NAME, $\{NAME} or $\{NAME:-default}.`;
    throw new LineError(error.line ?? line, error.message, remedy);
  }
}

function targetIndex(stages: readonly Stage[], target: string | undefined): number {
  if (target === undefined || target === "") return stages.length - 1;
  const index = stages.findLastIndex(({ name }) => name === target.toLowerCase());
  if (index >= 0) return index;
  const names = stages.map(({ name }) => name).filter((name) => name !== "");
  const near = nearestName(target, names);
  const known = names.length === 0 ? "it has none with a name" : `it has ${names.join(", ")}`;
  const cause = `there is no stage ${target}; ${known}`;
  const remedy =
    near === undefined ? "Give the target one of its stages." : `Did you mean ${near}?`;
  throw new LineError(0, cause, remedy);
}

/** The target and all stages that it stands on. */
function needed(works: readonly StageWork[], target: number): ReadonlySet<number> {
  const found = new Set<number>();
  const queue = [target];
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    if (found.has(at)) continue;
    found.add(at);
    queue.push(...(works[at]?.stages ?? []));
  }
  return found;
}

function imagesOf(
  read: readonly { readonly platform: string; readonly work: readonly StageWork[] }[],
): readonly BaseImage[] {
  const images = new Map<string, { platforms: Set<string>; line: number }>();
  for (const { platform, work } of read) {
    for (const image of work.flatMap((one) => one.images)) {
      const known = images.get(image.name) ?? { platforms: new Set(), line: image.line };
      known.platforms.add(image.platform ?? platform);
      images.set(image.name, known);
    }
  }
  return [...images].map(([name, { platforms, line }]) => ({
    name,
    platforms: [...platforms],
    line,
  }));
}
