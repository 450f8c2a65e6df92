import { FormatError } from "../failure/index.ts";
import type { Release } from "./choose.ts";

/** Where files are fetched instead of from their publishers. */
export interface Mirrors {
  /** For every tool that has none of its own. */
  readonly all: string | undefined;
  readonly byTool: Readonly<Record<string, string>>;
}

const WORDS = ["host", "path", "file", "tool", "version", "platform"] as const;

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
    if (WORDS.some((known) => known === word)) continue;
    throw new FormatError(
      `there is no {${word}}; known are ${WORDS.map((one) => `{${one}}`).join(", ")}`,
    );
  }
  const parsed = URL.parse(url.replace(/[{}]/g, ""));
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new FormatError("a mirror is a URL that starts with https:// or http://");
  }
  if (parsed.username !== "" || parsed.password !== "") {
    throw new FormatError("it holds credentials; send them by the input mirror-header");
  }
}

/** The mirror that a release is fetched from; undefined when it is its publisher. */
export function mirrorOf(release: Release, mirrors: Mirrors): string | undefined {
  return mirrors.byTool[release.tool] ?? mirrors.all;
}

/** Where a release is fetched. */
export function addressOf(release: Release, mirror: string | undefined): URL {
  const { url, tool, version, platform } = release;
  if (mirror === undefined) return url;
  const path = `${url.pathname}${url.search}`.replace(/^\//, "");
  if (!mirror.includes("{")) return new URL(`${mirror.replace(/\/$/, "")}/${path}`);
  const words: Record<(typeof WORDS)[number], string> = {
    host: url.host,
    path,
    file: url.pathname.split("/").at(-1) ?? "",
    tool,
    version: version.text,
    platform,
  };
  return new URL(mirror.replace(/\{([a-z]+)\}/g, (_, word: (typeof WORDS)[number]) => words[word]));
}
