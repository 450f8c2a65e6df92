import { posix } from "node:path";
import type { Place, UserErrorParts } from "../failure/index.ts";

/** Where in a chart rendering stopped, and why. */
export interface RenderFailure {
  /** Path within the chart, beginning with the chart's name. */
  readonly file: string;
  readonly line: number | undefined;
  /** The template expression that failed, without its braces. */
  readonly expression: string | undefined;
  readonly reason: string;
  /** `file:line` of the template that included the one that failed. */
  readonly includedBy: string | undefined;
}

/**
 * Words for a chart that does not render; undefined when Helm's error is about something else.
 *
 * @param chart where the chart is, for a pointer to the template's line.
 */
export function explainRenderFailure(words: string, chart = ""): UserErrorParts | undefined {
  const found = parseRenderFailure(words);
  if (found === undefined) return undefined;
  const { file, line, expression, includedBy } = found;
  const place = line === undefined ? file : `${file}:${line}`;
  const via = includedBy === undefined ? "" : ` (included by ${includedBy})`;
  const at = expression === undefined ? "" : `, at {{ ${expression} }}`;
  return {
    title: "The chart does not render",
    cause: `${place}${via}${at}: ${inPlainWords(found)}.`,
    remedy: "Correct the template or the values; nothing was changed in the cluster.",
    evidence: words,
    at: placeOf(found, chart),
  };
}

/** Helm's paths begin with the chart's name; a chart in the workspace has that folder instead. */
function placeOf({ file, line }: RenderFailure, chart: string): Place | undefined {
  const elsewhere = chart === "" || chart.includes("://") || posix.isAbsolute(chart);
  if (elsewhere || line === undefined) return undefined;
  return { file: posix.join(chart, ...file.split("/").slice(1)), line };
}

/**
 * Reads Helm's error of a template. Helm 3 writes the frames of a failed execution on one line,
 * outermost first; Helm 4 gives each frame lines of its own.
 */
export function parseRenderFailure(words: string): RenderFailure | undefined {
  return authorsWords(words) ?? unparsable(words) ?? invalidYaml(words) ?? execution(words);
}

/** `fail` and `required`: the chart's author speaks. */
function authorsWords(words: string): RenderFailure | undefined {
  const found =
    /execution error at \((?<file>[^:)]+):(?<line>\d+)(?::\d+)?\): (?<reason>[\s\S]+)/.exec(words);
  return found?.groups && frame(found.groups);
}

function unparsable(words: string): RenderFailure | undefined {
  const found = /parse error at \((?<file>[^:)]+):(?<line>\d+)(?::\d+)?\): (?<reason>[^\n]+)/.exec(
    words,
  );
  return found?.groups && frame(found.groups);
}

/** The line counts in what was rendered, not in the template: so it goes into the reason. */
function invalidYaml(words: string): RenderFailure | undefined {
  const found =
    /YAML parse error on (?<file>[^:\n]+): (?:error converting YAML to JSON: )?(?:yaml: )?(?:line (?<at>\d+): )?(?<reason>[^\n]+)/.exec(
      words,
    );
  if (found?.groups === undefined) return undefined;
  const { file, at, reason } = found.groups;
  const where = at === undefined ? "what it renders" : `line ${at} of what it renders`;
  return frame({ file, reason: `${where} is not valid YAML: ${reason}` });
}

const FRAME_3 =
  /template: (?<file>[^:\s"]+):(?<line>\d+)(?::\d+)?: (?:executing "[^"]*" at <(?<expression>.*?)>: )?/g;
const FRAME_4 =
  /^(?<file>[^\s:]+):(?<line>\d+)(?::\d+)?\n\s+executing "[^"]*" at <(?<expression>.*)>:\n\s*(?<reason>[^\n]*)/gm;

function execution(words: string): RenderFailure | undefined {
  const frames = [...words.matchAll(FRAME_4), ...words.matchAll(FRAME_3)];
  const [outer, inner] = [frames[0], frames.at(-1)];
  if (inner?.groups === undefined || outer?.groups === undefined) return undefined;
  const own = inner.groups.reason ?? "";
  // What follows the last frame, where the frame itself holds no reason of its own.
  const rest = words.slice(inner.index + inner[0].length).split("\n\n", 1)[0] ?? "";
  const reason = own === "" || /^error calling [^:]+:$/.test(own) ? `${own} ${rest}` : own;
  const includedBy = outer === inner ? undefined : `${outer.groups.file}:${outer.groups.line}`;
  return frame({ ...inner.groups, reason, includedBy });
}

function frame(groups: Readonly<Record<string, string | undefined>>): RenderFailure {
  const { file = "", line, expression, reason = "", includedBy } = groups;
  return {
    file,
    line: line === undefined ? undefined : Number(line),
    expression,
    reason: reason.replace(/\s+/g, " ").trim().replace(/\.$/, ""),
    includedBy,
  };
}

/** Go's template engine speaks of nil pointers where a value is simply not set. */
function inPlainWords({ reason, expression }: RenderFailure): string {
  const nil = /nil pointer evaluating (?:interface \{\}|\S+)\.(?<field>\S+)$/.exec(reason)?.groups
    ?.field;
  if (nil === undefined) return reason;
  const path = expression
    ?.split(/[\s()|]+/)
    .find((word) => word.endsWith(`.${nil}`) || word.includes(`.${nil}.`));
  const parent = path?.slice(0, path.lastIndexOf(`.${nil}`));
  return `${parent === undefined || parent === "" ? "what is left of it" : parent} is not set, so its ${nil} cannot be read`;
}
