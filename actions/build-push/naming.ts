import { FormatError } from "../../shared/failure/index.ts";
import {
  annotationsFor,
  type Circumstances,
  type CommitTime,
  commitTime,
  type ImageLabels,
  labelsFor,
  parseSourceDateEpoch,
  plainTag,
  type RuleProblem,
  readFlavor,
  readTagRules,
  type SourceEvent,
  tagsFor,
} from "../../shared/image-tags/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";
import type { Problem } from "./problem.ts";
import { type RunEvent, readRunEvent } from "./source-event.ts";

type Texts = Readonly<Record<string, string>>;
type Asked = Pick<
  Options,
  "tags" | "flavor" | "labels" | "annotations" | "push" | "mode" | "provenance" | "sbom"
>;

/**
 * The tags that rules make, and sentences on what is wrong with them; those of the step where none
 * are given. Rules that only add to others (`extra`) may make none.
 */
export type TagsFor = (
  rules: readonly string[] | undefined,
  extra?: boolean,
) => { readonly tags: readonly string[]; readonly problems: readonly string[] };

/** What of a service tells how it may be annotated; what it leaves open the step decides. */
interface Annotated {
  readonly annotations: Texts;
  readonly platforms: readonly string[];
  readonly provenance: Options["provenance"] | undefined;
  readonly sbom: boolean | undefined;
}

/** How the images of a run are tagged and labelled. */
export interface Naming {
  /** What is wrong with the step's own flavor, labels and annotations. */
  readonly problems: readonly Problem[];
  /** The tags of a service. */
  readonly tagsFor: TagsFor;
  /** Tags that the step's rules gave the commit before, and give the branch that it came from. */
  readonly earlierTags: readonly string[];
  /** Labels of an image: the step's, those of the service before them, and those of the commit. */
  readonly labelsOf: (service: {
    readonly labels: Texts;
    readonly tags: readonly string[];
  }) => ImageLabels;
  readonly annotationsOf: (service: Annotated) => ImageLabels;
  /** When the commit was made, and which one it is. Git is asked at the first call. */
  readonly commit: () => Promise<CommitTime>;
}

/** Reads what images are named by. Git is asked only when a tag bears the commit's date. */
export async function openNaming(
  options: Asked & Pick<Options, "services" | "context">,
  world: World,
): Promise<Naming> {
  const { environment, clock } = world;
  const run = await readRunEvent(environment);
  const epoch = readEpoch(environment.SOURCE_DATE_EPOCH);
  let asked: Promise<CommitTime> | undefined;
  const commit = () => {
    const given = {
      sourceDateEpoch: epoch.seconds,
      timestamp: run.timestamp,
      folder: options.context,
    };
    asked ??= commitTime(environment.GITHUB_WORKSPACE || process.cwd(), given, world);
    return asked;
  };
  const dated = /\{\{\s*commit_date/.test(
    JSON.stringify([options.tags, options.flavor, options.services]),
  );
  const committed = dated ? (await commit()).seconds * 1_000 : undefined;
  const naming = namingBy(options, run, { committed, now: clock.now() });
  return { ...naming, problems: [...epoch.problems, ...naming.problems], commit };
}

/** What the inputs and the event make of names. Pure. */
export function namingBy(
  options: Asked,
  { event, shortSha, before }: RunEvent,
  time: Pick<Circumstances, "committed" | "now">,
): Omit<Naming, "commit"> {
  const circumstances = { event, shortSha, ...time };
  const { flavor, problems } = readFlavor(options.flavor ?? "");
  const { labels = {}, annotations = {} } = options;
  const pushes = options.push && options.mode !== "plan";
  const tagsBy = ({ rules, problems: wrong }: ReturnType<typeof readTagRules>, extra = false) => {
    const { tags, none, ...made } = tagsFor(rules, flavor, circumstances);
    const all = [...wrong, ...made.problems].map(sentence);
    const asked = all.length === 0 && pushes && !extra ? none : undefined;
    return { tags, problems: asked === undefined ? all : [asked] };
  };
  const rulesOfStep = (sha: string | undefined) =>
    options.tags === undefined ? byCommit(sha) : readTagRules(options.tags);
  const ofStep = tagsBy(rulesOfStep(event.sha));
  const earlier = earlierEvents(event, before).flatMap((each) => {
    const { rules } = rulesOfStep(each.sha);
    return tagsFor(rules, flavor, { ...circumstances, event: each }).tags;
  });
  return {
    problems: [
      ...(options.tags === undefined ? [] : ofStep.problems).map((problem) => ({
        where: "tags",
        problem,
      })),
      ...within("flavor", problems),
      ...within("labels", labelsFor({ version: undefined, given: labels }, circumstances).problems),
      ...within("annotations", annotationsFor(annotations, circumstances).problems),
    ],
    tagsFor: (rules, extra) => {
      return rules === undefined ? ofStep : tagsBy(readTagRules(rules.join("\n")), extra);
    },
    earlierTags: [...new Set([...earlier, "latest"])].filter((tag) => !ofStep.tags.includes(tag)),
    labelsOf: (service) => {
      const given = { ...labels, ...service.labels };
      const made = labelsFor({ version: service.tags[0], given }, circumstances);
      return withOwnProblems(made, service.labels);
    },
    annotationsOf: (service) => {
      const given = { ...annotations, ...service.annotations };
      const made = withOwnProblems(annotationsFor(given, circumstances), service.annotations);
      const misplaced = hasIndex(service, options) ? [] : ofIndex(given);
      return { ...made, problems: [...made.problems, ...misplaced] };
    },
  };
}

/** An image of several platforms has an index, and so has one with papers. */
function hasIndex({ platforms, provenance, sbom }: Annotated, step: Asked): boolean {
  return platforms.length > 1 || (provenance ?? step.provenance) !== "off" || (sbom ?? step.sbom);
}

function ofIndex(annotations: Texts): readonly RuleProblem[] {
  const problem =
    "an image of one platform without provenance and sbom has no index that could be annotated";
  const levels = (name: string) => /^([^:]*):/.exec(name)?.[1]?.split(",") ?? [];
  return Object.keys(annotations)
    .filter((name) => levels(name).some((level) => /^(index|manifest-descriptor)/.test(level)))
    .map((where) => ({ where, problem }));
}

/** Those of the step are told once, and not with each service. */
function withOwnProblems(made: ImageLabels, own: Texts): ImageLabels {
  return { ...made, problems: made.problems.filter(({ where }) => where in own) };
}

/** The events by which the image before this one may have got its tags. */
function earlierEvents(event: SourceEvent, before: string | undefined): readonly SourceEvent[] {
  const branch = event.baseRef ?? event.defaultBranch;
  const same = before === undefined ? [] : [{ ...event, sha: before }];
  if (branch === undefined) return same;
  return [...same, { ...event, name: "push", ref: `refs/heads/${branch}`, sha: before }];
}

/** Without rules an image is tagged by its commit. */
function byCommit(sha: string | undefined): ReturnType<typeof readTagRules> {
  if (sha !== undefined) return { rules: [plainTag(sha, "the commit")], problems: [] };
  return {
    rules: [],
    problems: [{ where: "the commit", problem: "GITHUB_SHA is not set: give a tag" }],
  };
}

function readEpoch(text: string | undefined): {
  readonly seconds: number | undefined;
  readonly problems: readonly Problem[];
} {
  try {
    return { seconds: parseSourceDateEpoch(text), problems: [] };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { seconds: undefined, problems: [{ where: "env", problem: error.message }] };
  }
}

function within(input: string, problems: readonly RuleProblem[]): readonly Problem[] {
  return problems.map(({ where, problem }) => ({ where: `${input}: ${where}`, problem }));
}

function sentence({ where, problem }: RuleProblem): string {
  return `${where}: ${problem}`;
}
