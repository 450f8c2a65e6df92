import { posix } from "node:path";
import { ignoreFileOf, ignoreFileOfDockerfile } from "./ignore-file.ts";
import { parseIgnoreFile } from "./ignore-rule.ts";
import { ruleAgainst } from "./tree-worker.ts";

/** A line of an ignore file. */
export interface HidingLine {
  /** Absolute path of the ignore file. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly pattern: string;
}

/**
 * The line that leaves a path out of a context; undefined when none does.
 *
 * @param context absolute path of the context's folder.
 * @param dockerfile absolute path of the Dockerfile, whose own ignore file has precedence;
 *   undefined for a named context, or a Dockerfile that is no file.
 * @param path relative to the context, as COPY takes it.
 */
export function hiddenBy(
  context: string,
  dockerfile: string | undefined,
  path: string,
): HidingLine | undefined {
  const own = dockerfile === undefined ? undefined : ignoreFileOfDockerfile(dockerfile);
  const found = own ?? ignoreFileOf(context);
  const rules = found === undefined ? undefined : parseIgnoreFile(found.text);
  if (found === undefined || rules === undefined) return undefined;
  const clean = posix.normalize(`/${path}`).replace(/^\/|\/$/g, "");
  const rule = rules[ruleAgainst(rules, clean)];
  if (rule === undefined) return undefined;
  return { file: found.file, line: rule.line, pattern: rule.pattern };
}
