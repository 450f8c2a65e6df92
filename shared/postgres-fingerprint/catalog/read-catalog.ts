import { createHash } from "node:crypto";
import type { Catalog, EntryKind } from "../fingerprint.ts";
import type { Reader } from "../sessions.ts";
import { DATABASE_QUESTIONS } from "./database.ts";
import type { CatalogQuestion, Entry } from "./entries.ts";
import { PROGRAM_QUESTIONS } from "./programs.ts";
import { ROLE_QUESTIONS } from "./roles.ts";
import { TABLE_QUESTIONS } from "./tables.ts";
import { TYPE_QUESTIONS } from "./types.ts";
import { UPON_TABLES_QUESTIONS } from "./upon-tables.ts";

const QUESTIONS: readonly CatalogQuestion[] = [
  ...TABLE_QUESTIONS,
  ...UPON_TABLES_QUESTIONS,
  ...PROGRAM_QUESTIONS,
  ...TYPE_QUESTIONS,
  ...DATABASE_QUESTIONS,
  ...ROLE_QUESTIONS,
];

/** Definitions up to this length are kept whole, in characters. */
const WHOLE = 4_000;
const KEPT = 2_000;

/** The questions that a server of this major version understands. */
export function questionsFor(major: number): readonly CatalogQuestion[] {
  return QUESTIONS.filter(({ since = 0, until = 99 }) => since <= major && major <= until);
}

/** Collects answers. */
export class CatalogEntries {
  readonly #kinds = new Map<EntryKind, Map<string, string>>();

  async ask(reader: Reader, { sql }: CatalogQuestion): Promise<void> {
    for (const { kind, name, definition } of await reader.query<Entry>(sql)) {
      // Dropped since the snapshot: the server has no words for it any more.
      if (name === null || definition === null) continue;
      const entries = this.#kinds.get(kind) ?? new Map<string, string>();
      this.#kinds.set(kind, entries.set(name, shortened(definition)));
    }
  }

  catalog(): Catalog {
    const kinds = [...this.#kinds].sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(kinds.map(([kind, entries]) => [kind, Object.fromEntries(entries)]));
  }
}

/** What is cut off still counts: by its hash. */
function shortened(definition: string): string {
  if (definition.length <= WHOLE) return definition;
  const digest = createHash("sha256").update(definition).digest("hex");
  return `${definition.slice(0, KEPT)} … [${definition.length} characters, SHA-256 ${digest}]`;
}
