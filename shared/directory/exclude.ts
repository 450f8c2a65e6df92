import { matchesGlob } from "node:path";

/**
 * Decides what is left out. A pattern without a slash is one of names at any depth, one with a
 * slash is one of paths from the folder; `**` stands for any number of folders. What is in a folder
 * that is left out is left out too.
 */
export class Exclusion {
  readonly patterns: readonly string[];
  readonly #used = new Set<string>();

  constructor(patterns: readonly string[]) {
    this.patterns = patterns.map((pattern) => pattern.trim()).filter((pattern) => pattern !== "");
  }

  leavesOut(path: string): boolean {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const pattern = this.patterns.find((pattern) => {
      const trimmed = pattern.replace(/^\.?\//, "").replace(/\/+$/, "");
      const rooted = /^\.?\//.test(pattern) || trimmed.includes("/");
      return matchesGlob(rooted ? path : name, trimmed);
    });
    if (pattern !== undefined) this.#used.add(pattern);
    return pattern !== undefined;
  }

  /** Patterns that left nothing out. */
  get unused(): readonly string[] {
    return this.patterns.filter((pattern) => !this.#used.has(pattern));
  }
}
