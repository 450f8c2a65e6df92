import { createHash } from "node:crypto";
import { FormatError } from "../failure/index.ts";
import { tagProblem } from "../images/index.ts";
import { type Circumstances, globalExpressions } from "./expressions.ts";
import type { Flavor } from "./flavor.ts";
import type { RuleProblem, TagRule } from "./rule.ts";
import { evaluateRule } from "./rule-value.ts";
import { eventInWords } from "./source-event.ts";
import { render } from "./template.ts";

const LONGEST_TAG = 128;

/** The tags of an image. */
export interface Tags {
  /** Each once, that of the highest priority first. */
  readonly tags: readonly string[];
  /** The first of them: what the label `org.opencontainers.image.version` says. */
  readonly version: string | undefined;
  readonly problems: readonly RuleProblem[];
  /** Why there is no tag, rule by rule; undefined when there is one. */
  readonly none: string | undefined;
}

interface Made {
  readonly tag: string;
  readonly latest: boolean;
}

/**
 * The tags that rules give in these circumstances, in the order of their priorities. The first
 * rule that gives a tag decides whether there is a `latest` too, unless the flavor does.
 *
 * Source: the documentation of docker/metadata-action, "Latest tag" and "Priority attribute".
 */
export function tagsFor(
  rules: readonly TagRule[],
  flavor: Flavor,
  circumstances: Circumstances,
): Tags {
  const problems: RuleProblem[] = [];
  const reasons: string[] = [];
  const made: Made[] = [];
  for (const rule of rules.toSorted((one, other) => other.priority - one.priority)) {
    try {
      const result = make(rule, flavor, circumstances);
      if ("none" in result) reasons.push(`${rule.where}: ${result.none}`);
      else made.push(result);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      problems.push({ where: rule.where, problem: error.message });
    }
  }
  const [first] = made;
  const tags = made.map(({ tag }) => tag);
  const auto = flavor.latest === "auto" ? first?.latest === true : flavor.latest === "true";
  if (first !== undefined && auto) tags.push(latestTag(flavor, circumstances));
  const none =
    first === undefined && problems.length === 0
      ? `no tag comes of it for ${eventInWords(circumstances.event)}: ${reasons.join("; ") || "there is no rule"}`
      : undefined;
  return { tags: [...new Set(tags)], version: first?.tag, problems, none };
}

function make(
  rule: TagRule,
  flavor: Flavor,
  circumstances: Circumstances,
): Made | { readonly none: string } {
  const known = globalExpressions(circumstances);
  const prefix = render(rule.attributes.prefix ?? flavor.prefix.text, known);
  const suffix = render(rule.attributes.suffix ?? flavor.suffix.text, known);
  const result = evaluateRule(rule, circumstances);
  if ("none" in result) return result;
  const text = `${prefix}${result.value}${suffix}`;
  const tag = rule.plain ? text : fitting(text);
  const problem = rule.plain ? plainTagProblem(tag) : tagProblem(tag);
  if (problem !== undefined) throw new FormatError(`${JSON.stringify(tag)}: ${problem}`);
  return { tag, latest: result.latest };
}

/** Tags that other actions make come with the image's name, which is known here already. */
function plainTagProblem(tag: string): string | undefined {
  const problem = tagProblem(tag);
  const alone = /^[a-z0-9.:_-]+\/.*:([^:/]+)$/i.exec(tag)?.[1];
  if (problem === undefined || alone === undefined) return problem;
  return `give the tag alone, ${alone}: the image's name is made of registry and name`;
}

function latestTag({ prefix, suffix }: Flavor, circumstances: Circumstances): string {
  const known = globalExpressions(circumstances);
  const before = prefix.onLatest ? render(prefix.text, known) : "";
  return fitting(`${before}latest${suffix.onLatest ? render(suffix.text, known) : ""}`);
}

/**
 * Makes a tag of a name that git allows and registries do not. Of one that is too long the end is
 * cut off and told from others with the same beginning by a digest.
 */
function fitting(text: string): string {
  const legal = text.replace(/[^a-zA-Z0-9._-]+/g, "-").replace(/^[.-]+/, "");
  if (legal.length <= LONGEST_TAG) return legal;
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 12);
  return `${legal.slice(0, LONGEST_TAG - digest.length - 1)}-${digest}`;
}
