import { dump } from "js-yaml";
import type { ObjectChange } from "./difference.ts";
import type { FieldChange } from "./field-changes.ts";
import { HIDDEN } from "./hidden.ts";
import { lineChanges } from "./line-changes.ts";

const LONGEST_LINE = 240;

/**
 * The change of an object as lines for a block of `diff`: what goes begins with `-`, what comes
 * with `+`, each under its path.
 *
 * @param most lines; of more, the last says how many are left out.
 */
export function differenceLines(object: ObjectChange, most = 200): readonly string[] {
  const lines = object.whole === undefined ? object.fields.flatMap(linesOf) : wholeLines(object);
  const clipped = lines
    .slice(0, most)
    .map((line) => (line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line));
  const left = lines.length - clipped.length;
  return left === 0 ? clipped : [...clipped, `  ... ${left} more lines`];
}

function wholeLines({ change, whole, apiVersion, kind }: ObjectChange): readonly string[] {
  const sign = change === "added" ? "+" : "-";
  return yamlLines({ apiVersion, kind, ...whole }).map((line) => `${sign} ${line}`);
}

function linesOf({ path, change, before, after, hidden }: FieldChange): readonly string[] {
  if (hidden === true) {
    const gone = change === "added" ? [] : [`- ${path}: ${HIDDEN}`];
    const come = change === "removed" ? [] : [`+ ${path}: ${HIDDEN}`];
    return change === "changed"
      ? [`- ${path}: ${HIDDEN}`, `+ ${path}: (hidden, another)`]
      : [...gone, ...come];
  }
  if (change === "changed" && (isBlock(before) || isBlock(after))) {
    const changes = lineChanges(blockLines(before), blockLines(after));
    return [`  ${path}:`, ...changes.map(({ sign, text }) => `${sign}   ${text}`)];
  }
  return [
    ...(change === "added" ? [] : sideLines("-", path, before)),
    ...(change === "removed" ? [] : sideLines("+", path, after)),
  ];
}

function sideLines(sign: "-" | "+", path: string, value: unknown): readonly string[] {
  if (!isBlock(value)) return [`${sign} ${path}: ${inline(value)}`];
  return [`${sign} ${path}:`, ...blockLines(value).map((line) => `${sign}   ${line}`)];
}

/** Whether a value takes lines of its own. */
function isBlock(value: unknown): boolean {
  if (typeof value === "string") return value.trimEnd().includes("\n");
  if (typeof value !== "object" || value === null) return false;
  return !Array.isArray(value) || inline(value).length > 80;
}

function blockLines(value: unknown): readonly string[] {
  if (value === undefined) return [];
  return typeof value === "string" ? value.trimEnd().split(/\r\n|\r|\n/) : yamlLines(value);
}

function yamlLines(value: unknown): readonly string[] {
  return dump(value, { lineWidth: -1, noRefs: true }).trimEnd().split("\n");
}

function inline(value: unknown): string {
  const plain = typeof value === "string" && /^[^\s"'{}[\]&*#?|<>=!%@`,:-][^\n"]*$/.test(value);
  return plain && !value.includes(": ") ? value : (JSON.stringify(value) ?? "");
}
