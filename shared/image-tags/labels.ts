import { FormatError } from "../failure/index.ts";
import { type Circumstances, globalExpressions, PASSING } from "./expressions.ts";
import type { RuleProblem } from "./rule.ts";
import { render, uses } from "./template.ts";

type Texts = Readonly<Record<string, string>>;

/** What is known of the commit once it is built. */
export interface BuiltCommit {
  /** When it was made, in seconds since the Unix epoch. */
  readonly seconds: number;
  /** The commit that is checked out; undefined when only the event tells which one it is. */
  readonly commit: string | undefined;
}

/** Labels or annotations of an image, by what they depend on. */
export interface ImageLabels {
  /** The same from commit to commit: a change of these is a change of the image. */
  readonly stable: Texts;
  /**
   * Those that tell of the commit and the run that the image is built in. An image that is used
   * again because nothing else changed keeps those of its own build.
   */
  readonly ofCommit: (commit: BuiltCommit) => Texts;
  /** What is wrong with those of the user, by their names. */
  readonly problems: readonly RuleProblem[];
}

const OCI = "org.opencontainers.image";
const STABLE = ["title", "url", "source"] as const;
// A new description of the repository is no reason to build its images anew.
const OF_COMMIT = ["description", "licenses", "revision", "version", "created"] as const;

/**
 * The labels of an image: those of the OCI image specification ("Annotations") that the event and
 * the commit tell, and the user's own, which go before. One of the former that the user gives
 * empty is left out.
 *
 * @param version the first of the image's tags
 * @param given the user's, in which expressions such as `{{sha}}` are filled in
 */
export function labelsFor(
  { version, given }: { readonly version: string | undefined; readonly given: Texts },
  circumstances: Circumstances,
): ImageLabels {
  const { sha, repository } = circumstances.event;
  const { name, url, description, license } = repository;
  const own = filledIn(given, circumstances);
  const generated = [...STABLE, ...OF_COMMIT].map((key) => `${OCI}.${key}`);
  const kept = (texts: Readonly<Record<string, string | undefined>>, mine: Texts) => {
    const theirs = Object.entries(texts).map(([key, text]) => [`${OCI}.${key}`, text] as const);
    return Object.fromEntries([
      ...theirs.filter(([label, text]) => text && !(label in given)),
      ...Object.entries(mine).filter(([label, text]) => text || !generated.includes(label)),
    ]) as Texts;
  };
  return {
    stable: kept({ title: name, url, source: url }, own.stable),
    ofCommit: (built) => {
      const created = new Date(built.seconds * 1_000).toISOString().replace(".000Z", "Z");
      const revision = built.commit ?? sha;
      const texts = { description, licenses: license, revision, version, created };
      return kept(texts, own.ofCommit(built));
    },
    problems: own.problems,
  };
}

/**
 * The annotations of an image: the user's own, with expressions filled in. A name may begin with
 * the level that it is for, such as `index:`.
 */
export function annotationsFor(given: Texts, circumstances: Circumstances): ImageLabels {
  const annotations = filledIn(given, circumstances);
  const wrong = Object.keys(given).flatMap((where) => {
    const problem = levelProblem(where);
    return problem === undefined ? [] : [{ where, problem }];
  });
  return { ...annotations, problems: [...annotations.problems, ...wrong] };
}

const LEVELS = ["manifest", "index", "manifest-descriptor", "index-descriptor"];

/** Source: the documentation of BuildKit, "Image annotations". */
function levelProblem(name: string): string | undefined {
  const [, level] = /^([^:]*):/.exec(name) ?? [];
  if (level === undefined) return undefined;
  const known = level.split(",").every((each) => LEVELS.includes(each.replace(/\[[^\]]*\]$/, "")));
  return known ? undefined : `there is no level ${level}; there are ${LEVELS.join(", ")}`;
}

function filledIn(given: Texts, circumstances: Circumstances): ImageLabels {
  const entries = Object.entries(given);
  const fill = (chosen: typeof entries, committed: number | undefined) => {
    const known = globalExpressions({ ...circumstances, committed });
    return Object.fromEntries(chosen.map(([name, text]) => [name, filled(text, known)]));
  };
  // They are tried with some time, so that what is wrong is found before anything is done.
  const problems = entries.flatMap((entry) => {
    const [where] = entry;
    if (!/^\S+$/.test(where)) return [{ where, problem: "a name has no white space" }];
    const problem = problemOf(() => fill([entry], 0));
    return problem === undefined ? [] : [{ where, problem }];
  });
  const wrong = new Set(problems.map(({ where }) => where));
  const right = entries.filter(([name]) => !wrong.has(name));
  const passing = right.filter(([, text]) => uses(text, PASSING));
  const lasting = right.filter(([, text]) => !uses(text, PASSING));
  return {
    stable: fill(lasting, undefined),
    ofCommit: ({ seconds }) => fill(passing, seconds * 1_000),
    problems,
  };
}

function filled(text: string, known: ReturnType<typeof globalExpressions>): string {
  return text.includes("{{") ? render(text, known) : text;
}

function problemOf(attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return error.message;
  }
}
