/** Remembers when each run of a container was first seen: nodes report late when they are busy. */
export class FirstRuns {
  readonly #seen = new Map<string, number>();

  /** When this run was first asked about, in milliseconds since the Unix epoch. */
  seenAt(podUid: string | undefined, container: string, startedAt: string, now: number): number {
    const key = `${podUid} ${container} ${startedAt}`;
    const seen = this.#seen.get(key) ?? now;
    this.#seen.set(key, seen);
    return seen;
  }
}
