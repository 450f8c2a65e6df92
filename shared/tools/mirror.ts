import type { Release } from "./choose.ts";

/** Where files are fetched instead of from their publishers. */
export interface Mirrors {
  /** For every tool that has none of its own. */
  readonly all: string | undefined;
  readonly byTool: Readonly<Record<string, string>>;
}

/** What a mirror's URL may hold in braces. */
export type MirrorWord = "host" | "path" | "file" | "tool" | "version" | "platform";

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
  const words: Record<MirrorWord, string> = {
    host: url.host,
    path,
    file: url.pathname.split("/").at(-1) ?? "",
    tool,
    version: version.text,
    platform,
  };
  return new URL(mirror.replace(/\{([a-z]+)\}/g, (_, word: MirrorWord) => words[word]));
}
