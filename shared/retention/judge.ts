import { type Stored, subjectOfTag } from "./stored.ts";
import type { TagPattern } from "./tag-pattern.ts";

/** What is kept beside what is in use. */
export interface Rules {
  /** So many of the newest tagged images, in each repository. */
  readonly keepLast: number;
  /** Milliseconds. */
  readonly keepYoungerThan: number;
  readonly keepTags: readonly TagPattern[];
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

/** Something that runs, or that somebody may go back to. */
export interface Use {
  /** Of an image, one of its platforms, or an image's configuration. */
  readonly digest?: string | undefined;
  readonly tag?: string | undefined;
  /** Completes "in use by ...". */
  readonly by: string;
}

/** A manifest, and what becomes of it. */
export interface Judged {
  readonly stored: Stored;
  readonly keep: boolean;
  /** Why it is kept; none where it is not. */
  readonly reasons: readonly string[];
}

/**
 * Decides for each manifest of one repository whether it is kept. Kept is what is in use, among the
 * newest, young, of a tag to be kept, or of unknown age; with all that belongs to it: its parts, and
 * what is about it or about a part. What is no image of its own is never deleted by itself.
 */
export function judge(
  repository: readonly Stored[],
  uses: readonly Use[],
  rules: Rules,
): readonly Judged[] {
  const map = new RepositoryMap(repository);
  const newest = newestOf(map, rules.keepLast);
  const reasons = new Map<string, string[]>();
  for (const stored of repository) {
    const found = [
      ...usedBy(stored, uses),
      ...ownReasons(stored, map, rules),
      ...(newest.has(stored.digest) ? [`one of the newest ${rules.keepLast}`] : []),
    ];
    if (found.length === 0) continue;
    reasons.set(stored.digest, found);
    // Whoever runs one platform's image got it by its index, and is to find that again.
    for (const parent of map.parentsOf(stored.digest)) {
      const why = reasons.get(parent.digest) ?? [];
      reasons.set(parent.digest, [...why, `holds ${short(stored.digest)}`]);
    }
  }
  spread(map, reasons);
  return repository.map((stored) => {
    const why = reasons.get(stored.digest) ?? [];
    return { stored, keep: why.length > 0, reasons: [...new Set(why)] };
  });
}

/** The beginning of a digest, as people compare them. */
export function short(digest: string): string {
  return digest.slice(0, 19);
}

/** Who belongs to whom in a repository. */
class RepositoryMap {
  readonly all: readonly Stored[];
  readonly #parents = new Map<string, Stored[]>();
  readonly #about = new Map<string, Stored[]>();
  readonly #digests: ReadonlySet<string>;

  constructor(all: readonly Stored[]) {
    this.all = all;
    this.#digests = new Set(all.map(({ digest }) => digest));
    for (const stored of all) {
      for (const child of stored.children) add(this.#parents, child, stored);
      for (const subject of subjectsOf(stored)) add(this.#about, subject, stored);
    }
  }

  parentsOf(digest: string): readonly Stored[] {
    return this.#parents.get(digest) ?? [];
  }

  /** Signatures, attestations and the like. */
  about(digest: string): readonly Stored[] {
    return this.#about.get(digest) ?? [];
  }

  /** Whether it stands for itself: neither a part of something, nor about something. */
  isOfItsOwn(stored: Stored): boolean {
    return this.parentsOf(stored.digest).length === 0 && subjectsOf(stored).length === 0;
  }

  has(digest: string): boolean {
    return this.#digests.has(digest);
  }
}

/** What a manifest is about, as it says itself or as its tags do. */
export function subjectsOf({ subject, tags }: Stored): readonly string[] {
  return [
    ...(subject === undefined ? [] : [subject]),
    ...tags.flatMap((t) => subjectOfTag(t) ?? []),
  ];
}

function add(map: Map<string, Stored[]>, key: string, stored: Stored): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [stored]);
  else known.push(stored);
}

function newestOf(map: RepositoryMap, count: number): ReadonlySet<string> {
  const images = map.all.filter(
    (stored) =>
      (stored.kind === "image" || stored.kind === "index") &&
      stored.tags.length > 0 &&
      stored.time !== undefined &&
      map.isOfItsOwn(stored),
  );
  const byAge = images.toSorted(
    // Of the same moment the order is any, and always the same.
    (a, b) => (b.time ?? 0) - (a.time ?? 0) || a.digest.localeCompare(b.digest),
  );
  return new Set(byAge.slice(0, count).map(({ digest }) => digest));
}

function usedBy({ digest, config, tags }: Stored, uses: readonly Use[]): string[] {
  const found = uses.filter(
    (use) =>
      (use.digest !== undefined && (use.digest === digest || use.digest === config)) ||
      (use.tag !== undefined && tags.includes(use.tag)),
  );
  return found.map(({ by }) => `in use by ${by}`);
}

function ownReasons(stored: Stored, map: RepositoryMap, rules: Rules): string[] {
  const { kind, tags, time } = stored;
  if (kind === "cache") return ["build cache"];
  const isOfItsOwn = map.isOfItsOwn(stored);
  const reasons: string[] = [];
  for (const tag of tags) {
    const pattern = rules.keepTags.find((each) => each.matches(tag));
    if (pattern !== undefined) reasons.push(`tag ${tag} (${pattern.text})`);
  }
  if (kind === "artifact" && isOfItsOwn) reasons.push("no image");
  // A part of an image is as old as that; so is what is about it, while that is there.
  const isLoose = isOfItsOwn || !belongsToSomething(stored, map);
  if (!isLoose) return reasons;
  if (time === undefined) reasons.push("its age is not known");
  else if (rules.now - time < rules.keepYoungerThan) {
    reasons.push(`of ${new Date(time).toISOString().slice(0, 10)}, too young`);
  }
  return reasons;
}

function belongsToSomething(stored: Stored, map: RepositoryMap): boolean {
  return (
    map.parentsOf(stored.digest).length > 0 || subjectsOf(stored).some((digest) => map.has(digest))
  );
}

/** From what is kept to its parts, and to what is about it, and so on. */
function spread(map: RepositoryMap, reasons: Map<string, string[]>): void {
  const byDigest = new Map(map.all.map((stored) => [stored.digest, stored]));
  const waiting = [...reasons.keys()];
  const reach = (digest: string, why: string) => {
    const known = reasons.get(digest);
    if (known !== undefined) return;
    reasons.set(digest, [why]);
    waiting.push(digest);
  };
  for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop()) {
    for (const child of byDigest.get(digest)?.children ?? []) {
      if (map.has(child)) reach(child, `part of ${short(digest)}`);
    }
    for (const { digest: other } of map.about(digest)) reach(other, `about ${short(digest)}`);
  }
}
