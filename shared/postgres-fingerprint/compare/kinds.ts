import type { Weight } from "../../proof/index.ts";
import type { EntryKind } from "../fingerprint.ts";

/** A restore makes these after the rows, so the tier `data` has none of them. */
export const POST_DATA: ReadonlySet<EntryKind> = new Set<EntryKind>([
  "constraint",
  "default privileges",
  "event trigger",
  "index",
  "index clustered on",
  "policy",
  "publication",
  "replica identity",
  "row security",
  "rule",
  "statistics object",
  "subscription",
  "trigger",
]);

/** They say how things are kept, spoken of or owned, not what they are. */
const HARMLESS: ReadonlySet<EntryKind> = new Set<EntryKind>([
  "column options",
  "comment",
  "database setting",
  "index clustered on",
  "owner",
  "role",
  "storage options",
  "user mapping",
]);

export const PRIVILEGES: ReadonlySet<EntryKind> = new Set<EntryKind>([
  "default privileges",
  "privileges",
]);

/** How much a difference of an entry of this kind weighs. */
export function weightOf(kind: EntryKind, privileges: "kept" | "mapped"): Weight {
  if (HARMLESS.has(kind)) return "note";
  if (kind === "security label") return "doubt";
  return PRIVILEGES.has(kind) && privileges === "mapped" ? "note" : "damage";
}

/** The word of the table of detectors for a kind. */
export function detectorOf(kind: EntryKind): string {
  switch (kind) {
    case "constraint":
    case "index":
    case "extension":
    case "sequence":
      return kind;
    default:
      return "catalog";
  }
}

/** Definitions that the server writes from what it parsed, each major version in its own way. */
export const WRITTEN_ANEW: ReadonlySet<EntryKind> = new Set<EntryKind>([
  "column",
  "constraint",
  "function",
  "index",
  "materialized view",
  "policy",
  "publication",
  "rule",
  "statistics object",
  "trigger",
  "type",
  "view",
]);
