import { FormatError } from "../../shared/failure/index.ts";
import type { Mirrors, MirrorWord } from "../../shared/tools/index.ts";

const WORDS: Readonly<Record<MirrorWord, true>> = {
  host: true,
  path: true,
  file: true,
  tool: true,
  version: true,
  platform: true,
};

/**
 * Reads mirrors, one a line: a URL for all tools, or `tool=URL` for one. In a URL, `{host}`,
 * `{path}`, `{file}`, `{tool}`, `{version}` and `{platform}` stand for the parts of what is fetched;
 * a URL without any of them takes the place of the publisher's scheme and host.
 *
 * @throws {FormatError} when a line is neither.
 */
export function parseMirrors(text: string): Mirrors {
  let all: string | undefined;
  const byTool: Record<string, string> = {};
  for (const line of text.split(/\r\n|\r|\n/)) {
    const trimmed = line.trim();
    if (trimmed === "") continue;
    const [, tool, url = trimmed] = /^([a-z][a-z0-9_-]*)\s*=\s*(.*)$/.exec(trimmed) ?? [];
    checkMirror(url);
    if (tool !== undefined) byTool[tool] = url;
    else if (all === undefined) all = url;
    else throw new FormatError("there are two mirrors for all tools");
  }
  return { all, byTool };
}

function checkMirror(url: string): void {
  for (const [, word = ""] of url.matchAll(/\{([^}]*)\}/g)) {
    if (Object.hasOwn(WORDS, word)) continue;
    const known = Object.keys(WORDS).map((one) => `{${one}}`);
    throw new FormatError(`there is no {${word}}; known are ${known.join(", ")}`);
  }
  const parsed = URL.parse(url.replace(/[{}]/g, ""));
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new FormatError("a mirror is a URL that starts with https:// or http://");
  }
  if (parsed.username !== "" || parsed.password !== "") {
    throw new FormatError("it holds credentials; send them by the input mirror-header");
  }
}
