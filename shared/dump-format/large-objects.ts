import type { Archive, TocEntry } from "./archive.ts";
import type { FaultList } from "./fault-list.ts";

/** Holds the large objects that a dump lists against those that it has the content of. */
export class LargeObjects {
  readonly #subject: string;
  readonly #faults: FaultList;
  readonly #found = new Set<number>();

  constructor(subject: string, faults: FaultList) {
    this.#subject = subject;
    this.#faults = faults;
  }

  found(oid: number, _entry: TocEntry): void {
    if (this.#found.has(oid)) {
      this.#damage(`large object ${oid}`, "Its content is in the dump twice.");
    }
    this.#found.add(oid);
  }

  judge(archive: Archive): void {
    // A dump without the contents of large objects has no entry for them either.
    if (!archive.entries.some((entry) => entry.kind === "BLOBS")) return;
    const listed = listedIn(archive);
    for (const oid of listed) {
      if (this.#found.has(oid)) continue;
      this.#damage(`large object ${oid}`, "It is listed, and its content is not in the dump.");
    }
    for (const oid of this.#found) {
      if (listed.has(oid)) continue;
      this.#damage(`large object ${oid}`, "Its content is in the dump, and it is listed nowhere.");
    }
  }

  #damage(subject: string, what: string): void {
    this.#faults.add({
      detector: "members",
      weight: "damage",
      subject: `${subject} (${this.#subject})`,
      what,
    });
  }
}

/** Up to 16 there is an entry for each; since 17 an entry lists many, one in a line. */
function listedIn(archive: Archive): Set<number> {
  const listed = new Set<number>();
  for (const entry of archive.entries) {
    if (entry.kind === "BLOB") listed.add(Number(entry.name));
    if (entry.kind !== "BLOB METADATA") continue;
    for (const [oid] of entry.definition.matchAll(/\d+/g)) listed.add(Number(oid));
  }
  return listed;
}
