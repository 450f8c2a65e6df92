import type { Finding } from "../../proof/index.ts";
import type { PostgresFingerprint } from "../fingerprint.ts";
import { majorOf } from "./compare-catalogs.ts";
import { differingParts } from "./key-range.ts";

/** Compares large objects. */
export function compareLargeObjects(
  expected: PostgresFingerprint,
  found: PostgresFingerprint,
): readonly Finding[] {
  const was = expected.largeObjects;
  const is = found.largeObjects;
  if (expected.excluded.includes("large objects") || isOfAPart(expected)) return [];
  if (was.count === is.count && was.hash === is.hash) return ownersOf(expected, found);
  const parts = differingParts(was.parts, is.parts);
  const where = parts === undefined ? "" : `; first in the range ${parts.first}`;
  const what =
    was.count === is.count
      ? `Their contents differ${where}.`
      : `${was.count} were expected, ${is.count} are there${is.count === 0 ? "" : where}.`;
  return [
    {
      detector: "large-objects",
      tier: "data",
      weight: "damage",
      subject: "large objects",
      what,
      expected: `${was.count} with ${was.bytes} bytes`,
      found: `${is.count} with ${is.bytes} bytes`,
    },
  ];
}

function isOfAPart({ excluded }: PostgresFingerprint): boolean {
  return excluded.some((phrase) => phrase.startsWith("everything but "));
}

function ownersOf(expected: PostgresFingerprint, found: PostgresFingerprint): readonly Finding[] {
  const words = ({ largeObjects }: PostgresFingerprint) =>
    Object.entries(largeObjects.owners)
      .map(([owner, count]) => `${owner} ${count}`)
      .join(", ");
  if (words(expected) === words(found)) return [];
  return [
    {
      detector: "large-objects",
      tier: "data",
      weight: "note",
      subject: "large objects",
      what: "They have other owners than at the source.",
      expected: words(expected),
      found: words(found),
    },
  ];
}

/** Compares what holds for the whole database: encoding, locale, version, collation versions. */
export function compareDatabases(
  expected: PostgresFingerprint,
  found: PostgresFingerprint,
): readonly Finding[] {
  return [
    ...encodings(expected, found),
    ...locales(expected, found),
    ...versions(expected, found),
    ...collationVersions(expected, found),
  ];
}

function encodings(expected: PostgresFingerprint, found: PostgresFingerprint): readonly Finding[] {
  if (expected.database.encoding === found.database.encoding) return [];
  return [
    {
      detector: "encoding",
      tier: "data",
      weight: "doubt",
      subject: "database",
      what: "Its encoding is another than that of the source.",
      expected: expected.database.encoding,
      found: found.database.encoding,
    },
  ];
}

function locales(expected: PostgresFingerprint, found: PostgresFingerprint): readonly Finding[] {
  const words = ({ database: { provider, locale, collate, ctype } }: PostgresFingerprint) =>
    [provider, locale, collate, collate === ctype ? null : ctype]
      .filter((word) => word !== null)
      .join(" ")
      .replace(/\butf-?8\b/gi, "UTF-8");
  if (words(expected) === words(found)) return [];
  return [
    {
      detector: "collation-version",
      tier: "data",
      weight: "note",
      subject: "database",
      what: "Its locale is another than that of the source: text without a collation of its own sorts otherwise.",
      expected: words(expected),
      found: words(found),
    },
  ];
}

function versions(expected: PostgresFingerprint, found: PostgresFingerprint): readonly Finding[] {
  if (majorOf(expected) === majorOf(found)) return [];
  return [
    {
      detector: "version",
      tier: "data",
      weight: "note",
      subject: "server",
      what: `It was restored by another major version than it came from${majorOf(found) < majorOf(expected) ? ", an older one" : ""}.`,
      expected: expected.server.version,
      found: found.server.version,
    },
  ];
}

function collationVersions(
  expected: PostgresFingerprint,
  found: PostgresFingerprint,
): readonly Finding[] {
  const before = versionsOf(expected);
  return [...versionsOf(found)].flatMap(([subject, is]): Finding[] => {
    const base = { detector: "collation-version", tier: "data" as const, subject };
    if (is.stored !== is.actual) {
      return [
        {
          ...base,
          weight: "doubt",
          what: "It was made with another version of the system's collations than is there now: indexes on text may be in the wrong order.",
          expected: `version ${is.stored}`,
          found: `version ${is.actual}`,
        },
      ];
    }
    const was = before.get(subject);
    if (was === undefined || was.actual === is.actual) return [];
    return [
      {
        ...base,
        weight: "note",
        what: "Its version is another than at the source: text may sort otherwise there.",
        expected: `version ${was.actual}`,
        found: `version ${is.actual}`,
      },
    ];
  });
}

interface Versions {
  readonly stored: string;
  readonly actual: string;
}

function versionsOf({ database, catalog }: PostgresFingerprint): ReadonlyMap<string, Versions> {
  const versions = new Map<string, Versions>();
  for (const [name, definition] of Object.entries(catalog["collation version"] ?? {})) {
    const [, stored = "", actual = ""] = /^stored (.*), actual (.*)$/s.exec(definition) ?? [];
    if (actual !== "") versions.set(`collation ${name}`, { stored, actual });
  }
  const { collationVersion, actualCollationVersion } = database;
  if (collationVersion !== null && actualCollationVersion !== null) {
    versions.set("collation of the database", {
      stored: collationVersion,
      actual: actualCollationVersion,
    });
  }
  return versions;
}
