import { matchesGlob } from "node:path";

/**
 * Decides what is chosen of a folder. A pattern without a slash is one of names at any depth, one with
 * a slash is one of paths from the folder; `**` stands for any number of folders. A folder that is
 * chosen is chosen with all that is in it.
 */
export class Selection {
  readonly #patterns: readonly { readonly given: string; readonly pattern: string }[];
  readonly #used = new Set<string>();

  constructor(patterns: readonly string[]) {
    const given = patterns.map((pattern) => pattern.trim()).filter((pattern) => pattern !== "");
    this.#patterns = given.map((each) => {
      const trimmed = each.replace(/^\.?\//, "").replace(/\/+$/, "");
      const isOfPaths = /^\.?\//.test(each) || trimmed.includes("/");
      return { given: each, pattern: isOfPaths ? trimmed : `**/${trimmed}` };
    });
  }

  /**
   * The member by which a path is chosen: itself, or the outermost folder around it that a pattern
   * names; undefined where it is not chosen.
   */
  chosenBy(path: string): string | undefined {
    for (let end = path.indexOf("/"); ; end = path.indexOf("/", end + 1)) {
      const around = end === -1 ? path : path.slice(0, end);
      const found = this.#patterns.find(({ pattern }) => matchesGlob(around, pattern));
      if (found !== undefined) {
        this.#used.add(found.given);
        return around;
      }
      if (end === -1) return undefined;
    }
  }

  /** Patterns that chose nothing. */
  get unused(): readonly string[] {
    return this.#patterns.map(({ given }) => given).filter((given) => !this.#used.has(given));
  }
}

/** Leaves out all but members of these paths, and what is in them. */
export class OnlyPaths {
  readonly #paths: readonly string[];

  constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  leavesOut(path: string): boolean {
    return !this.#paths.some(
      (each) => path === each || path.startsWith(`${each}/`) || each.startsWith(`${path}/`),
    );
  }
}
