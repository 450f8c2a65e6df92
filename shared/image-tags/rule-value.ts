import { FormatError } from "../failure/index.ts";
import {
  type Circumstances,
  globalExpressions,
  shortSha,
  UNKNOWN_DEFAULT_BRANCH,
} from "./expressions.ts";
import type { RuleType, TagRule } from "./rule.ts";
import { branchOf, gitTagOf, pullRequestOf } from "./source-event.ts";
import { type Expressions, render, uses } from "./template.ts";
import { parsePep440, parseSemver, type TaggedVersion } from "./versions.ts";

/** What a rule gives: a text that is to become a tag, or why there is none. */
export type RuleValue =
  | { readonly value: string; readonly latest: boolean }
  | { readonly none: string };

/**
 * What a rule gives in these circumstances, before its prefix and suffix.
 *
 * @throws {FormatError} when the rule itself is wrong.
 */
export function evaluateRule(rule: TagRule, circumstances: Circumstances): RuleValue {
  const { enable = "true" } = rule.attributes;
  const enabled = render(enable, globalExpressions(circumstances)).toLowerCase();
  if (enabled !== "true" && enabled !== "false") {
    throw new FormatError(`enable is true or false, not ${JSON.stringify(enabled)}`);
  }
  return enabled === "true"
    ? VALUES[rule.type](rule, circumstances)
    : { none: "it is not enabled" };
}

type Read = (rule: TagRule, circumstances: Circumstances) => RuleValue;

const VALUES: Readonly<Record<RuleType, Read>> = {
  schedule: ({ attributes: { pattern = "" } }, circumstances) => {
    const value = render(pattern, globalExpressions(circumstances));
    const { name } = circumstances.event;
    return name === "schedule" ? plain(value) : { none: "the run is not for a schedule" };
  },
  semver: (rule, circumstances) => {
    return version(rule, circumstances, parseSemver, "semantic version such as v1.2.3");
  },
  pep440: (rule, circumstances) => {
    return version(rule, circumstances, parsePep440, "version by PEP 440 such as 1.2.3rc1");
  },
  match,
  edge: ({ attributes: { branch: named } }, { event }) => {
    const branch = branchOf(event);
    if (branch === undefined) return { none: "the run is not for a branch" };
    const wanted = named || (event.name === "schedule" ? branch : event.defaultBranch);
    if (wanted === undefined) throw new FormatError(UNKNOWN_DEFAULT_BRANCH);
    return branch === wanted ? plain("edge") : { none: `the branch is not ${wanted}` };
  },
  ref: ({ attributes }, { event }) => {
    if (attributes.event === "branch") return found(branchOf(event), "a branch");
    if (attributes.event === "tag") return found(gitTagOf(event), "a git tag", true);
    return found(pullRequestOf(event), "a pull request");
  },
  raw: ({ attributes: { value = "" } }, circumstances) => {
    return plain(render(value, globalExpressions(circumstances)));
  },
  sha: ({ attributes }, circumstances) => {
    const { sha } = circumstances.event;
    if (sha === undefined) return { none: "the commit is not known" };
    return plain(attributes.format === "long" ? sha : shortSha(circumstances));
  },
};

function plain(value: string): RuleValue {
  return value === "" ? { none: "its value is empty" } : { value, latest: false };
}

function found(value: string | undefined, what: string, latest = false): RuleValue {
  return value === undefined ? { none: `the run is not for ${what}` } : { value, latest };
}

/** The text that a rule takes apart: its own value, or the name of the git tag. */
function subjectOf({ attributes }: TagRule, circumstances: Circumstances): string | undefined {
  const value = render(attributes.value ?? "", globalExpressions(circumstances));
  return value === "" ? gitTagOf(circumstances.event) : value;
}

/**
 * A pre-release never moves the tags that many follow: whatever the pattern, it is tagged by its
 * whole version.
 */
function version(
  rule: TagRule,
  circumstances: Circumstances,
  parse: (text: string) => TaggedVersion | undefined,
  what: string,
): RuleValue {
  const { pattern = "", match: form } = rule.attributes;
  const known = globalExpressions(circumstances);
  // A wrong pattern is told of in every run, not only on the day of the release.
  render(pattern, { ...partsOf(SOME_VERSION), ...known });
  const expression = form === undefined ? undefined : regularExpression(form);
  const subject = subjectOf(rule, circumstances);
  if (subject === undefined) return { none: "the run is not for a git tag" };
  const matched = expression === undefined ? [subject] : expression.exec(subject);
  if (matched === null) return { none: `${JSON.stringify(subject)} does not match ${form}` };
  const parsed = parse(matched[1] ?? matched[0] ?? "");
  if (parsed === undefined) return { none: `${JSON.stringify(subject)} is no ${what}` };
  const whole = uses(pattern, ["version", "raw"]);
  if (parsed.major === "0" && !whole && !uses(pattern, ["minor", "patch"])) {
    // Source: semver.org, item 4: anything may change between versions below 1.0.0.
    if (rule.attributes.enable === undefined) return { none: ONLY_MAJOR_ZERO };
  }
  const used = parsed.final || whole ? pattern : "{{version}}";
  return { value: render(used, { ...partsOf(parsed), ...known }), latest: parsed.final };
}

const ONLY_MAJOR_ZERO =
  "versions below 1.0.0 may break each other, so they get no tag of the major version 0 by itself; enable=true asks for it";

const SOME_VERSION = {
  raw: "1.2.3",
  version: "1.2.3",
  major: "1",
  minor: "2",
  patch: "3",
  final: true,
};

function partsOf({ final: _, ...parts }: TaggedVersion): Expressions {
  return Object.fromEntries(Object.entries(parts).map(([name, text]) => [name, () => text]));
}

function match(rule: TagRule, circumstances: Circumstances): RuleValue {
  const { pattern = "", group = "0" } = rule.attributes;
  const expression = regularExpression(pattern);
  // Asked with an empty alternative, an expression tells how many groups it has.
  const groups = (new RegExp(`${expression.source}|`).exec("")?.length ?? 1) - 1;
  if (Number(group) < 0 || Number(group) > groups) {
    throw new FormatError(`group=${group} does not exist: the pattern has ${groups} groups`);
  }
  const subject = subjectOf(rule, circumstances);
  if (subject === undefined) return { none: "the run is not for a git tag" };
  const value = expression.exec(subject)?.[Number(group)];
  if (!value) return { none: `${JSON.stringify(subject)} does not match ${pattern}` };
  return { value, latest: true };
}

/** An expression as JavaScript has it, by itself or as `/expression/flags`. */
function regularExpression(text: string): RegExp {
  const [, source = text, flags = ""] = /^\/(.+)\/([a-z]*)$/.exec(text) ?? [];
  try {
    // A global one would go on from where it was.
    return new RegExp(source, flags.replace(/[gy]/g, ""));
  } catch (error) {
    throw new FormatError(`it is no regular expression: ${(error as Error).message}`);
  }
}
