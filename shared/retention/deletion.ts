import { type Judged, subjectsOf } from "./judge.ts";
import type { Stored } from "./stored.ts";

/**
 * What is to be deleted, image by image: each group begins with what stands for itself, so that its
 * tags are gone before any part of it is, and holds what then belongs to nothing: its parts, and what
 * is about them. A part that something kept shares is in no group.
 */
export function deletionGroups(judged: readonly Judged[]): readonly (readonly Stored[])[] {
  const deleted = judged.filter(({ keep }) => !keep).map(({ stored }) => stored);
  const plan = new Plan(deleted);
  const groups = deleted.filter((stored) => plan.isHead(stored)).map((head) => plan.take(head));
  return groups.filter(({ length }) => length > 0);
}

class Plan {
  readonly #byDigest: ReadonlyMap<string, Stored>;
  readonly #about = new Map<string, Stored[]>();
  /** How many of those that hold it are still to be taken. */
  readonly #holders = new Map<string, number>();
  readonly #taken = new Set<string>();

  constructor(deleted: readonly Stored[]) {
    this.#byDigest = new Map(deleted.map((stored) => [stored.digest, stored]));
    for (const stored of deleted) {
      for (const child of new Set(stored.children)) {
        this.#holders.set(child, (this.#holders.get(child) ?? 0) + 1);
      }
      for (const subject of subjectsOf(stored)) {
        this.#about.set(subject, [...(this.#about.get(subject) ?? []), stored]);
      }
    }
  }

  /** Whether it stands for itself, among what is deleted. */
  isHead(stored: Stored): boolean {
    const { digest } = stored;
    return !this.#holders.has(digest) && !subjectsOf(stored).some((one) => this.#byDigest.has(one));
  }

  /** What goes with a head. What several hold goes with the last of them. */
  take(head: Stored): readonly Stored[] {
    const group: Stored[] = [];
    const waiting = [head];
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { digest, children } = next;
      if (this.#taken.has(digest) || (this.#holders.get(digest) ?? 0) > 0) continue;
      this.#taken.add(digest);
      group.push(next);
      for (const child of new Set(children)) {
        this.#holders.set(child, (this.#holders.get(child) ?? 0) - 1);
        waiting.push(...this.#found(child));
      }
      waiting.push(...(this.#about.get(digest) ?? []));
    }
    return group;
  }

  #found(digest: string): readonly Stored[] {
    const stored = this.#byDigest.get(digest);
    return stored === undefined ? [] : [stored];
  }
}

/**
 * The bytes that a registry's clean-up can give free: of each blob and manifest that only what is
 * deleted holds. All repositories of one registry are to be given, for they share blobs.
 */
export function bytesFreed(judged: readonly Judged[]): number {
  const kept = new Set(
    judged.filter(({ keep }) => keep).flatMap(({ stored }) => stored.blobs.map((b) => b.digest)),
  );
  const freed = new Map<string, number>();
  for (const { keep, stored } of judged) {
    if (keep) continue;
    freed.set(stored.digest, stored.bytes);
    for (const { digest, size } of stored.blobs) if (!kept.has(digest)) freed.set(digest, size);
  }
  return freed.values().reduce((sum, size) => sum + size, 0);
}
