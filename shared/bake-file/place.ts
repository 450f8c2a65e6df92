import type { Place } from "../failure/index.ts";
import { isCompose, targetNameOf } from "./compose.ts";

/** A file of definitions with its text. */
export interface ReadFile {
  /** Relative to the workspace. */
  readonly shown: string;
  readonly text: string;
}

/** Where a target is first written, as far as a look at the lines can tell. */
export function placeOfTarget(files: readonly ReadFile[], target: string): Place | undefined {
  for (const { shown, text } of files) {
    const lines = text.split("\n");
    const at = isCompose(shown)
      ? lineOfService(lines, target)
      : lines.findIndex((line) => isBlockOf(line, target));
    if (at !== -1) return { file: shown, line: at + 1 };
  }
  return undefined;
}

function isBlockOf(line: string, target: string): boolean {
  const [, hcl, json] = /^\s*target\s+"([\w-]+)"\s*\{|^\s*"([\w-]+)"\s*:\s*\{/.exec(line) ?? [];
  return (hcl ?? json) === target;
}

/** The first key below `services:` that is less indented than what follows it. */
function lineOfService(lines: readonly string[], target: string): number {
  const start = lines.findIndex((line) => /^services\s*:/.test(line));
  if (start === -1) return -1;
  const below = lines.slice(start + 1);
  const indent = /^( +)\S/.exec(below.find((line) => /^ +[^\s#]/.test(line)) ?? "")?.[1];
  if (indent === undefined) return -1;
  const found = below.findIndex((line) => {
    const [, name] = /^["']?([\w.-]+)["']?\s*:/.exec(line.slice(indent.length)) ?? [];
    return line.startsWith(indent) && name !== undefined && targetNameOf(name) === target;
  });
  return found === -1 ? -1 : start + 1 + found;
}
