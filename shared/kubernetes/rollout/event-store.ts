import { type ClusterEvent, lastSeenOf } from "../workload.ts";

/** What is kept of the events of one object, the newest. */
const MOST_OF_ONE = 40;
/** A namespace keeps its events for an hour: a busy one has more than anybody needs. */
const MOST = 20_000;
const NONE: readonly ClusterEvent[] = [];

/** Events by the uid of the object that they are about, in order of time; bounded in number. */
export class EventStore {
  readonly #byObject = new Map<string, Map<string, ClusterEvent>>();
  readonly #sorted = new Map<string, readonly ClusterEvent[]>();
  #count = 0;

  put(event: ClusterEvent): void {
    const uid = uidOf(event);
    const events = this.#byObject.get(uid) ?? new Map<string, ClusterEvent>();
    // Moves it behind what was heard before it.
    if (events.delete(event.metadata.name)) this.#count -= 1;
    events.set(event.metadata.name, event);
    this.#count += 1;
    this.#byObject.delete(uid);
    this.#byObject.set(uid, events);
    this.#sorted.delete(uid);
    if (events.size > MOST_OF_ONE) this.#dropOldestOf(uid, events);
    if (this.#count > MOST) this.#dropQuietest();
  }

  remove(event: ClusterEvent): void {
    const uid = uidOf(event);
    const events = this.#byObject.get(uid);
    if (events?.delete(event.metadata.name)) this.#count -= 1;
    if (events?.size === 0) this.#byObject.delete(uid);
    this.#sorted.delete(uid);
  }

  /** The events of an object, oldest first. */
  of(uid: string | undefined): readonly ClusterEvent[] {
    const events = this.#byObject.get(uid ?? "");
    if (events === undefined) return NONE;
    const sorted =
      this.#sorted.get(uid ?? "") ??
      [...events.values()].sort((a, b) => lastSeenOf(a) - lastSeenOf(b));
    this.#sorted.set(uid ?? "", sorted);
    return sorted;
  }

  #dropOldestOf(uid: string, events: Map<string, ClusterEvent>): void {
    const [oldest] = this.of(uid);
    if (oldest === undefined || !events.delete(oldest.metadata.name)) return;
    this.#count -= 1;
    this.#sorted.delete(uid);
  }

  /** Lets go of the object of which nothing was heard for longest. */
  #dropQuietest(): void {
    const [quietest] = this.#byObject;
    if (quietest === undefined) return;
    const [uid, events] = quietest;
    this.#byObject.delete(uid);
    this.#sorted.delete(uid);
    this.#count -= events.size;
  }
}

function uidOf({ involvedObject }: ClusterEvent): string {
  return involvedObject.uid ?? "";
}
