import type { PostgresFingerprint } from "../../postgres-fingerprint/index.ts";
import type { Finding } from "../../proof/index.ts";
import { mentions, type Refused } from "../restoring/refusals.ts";

/** Kinds of entries of the catalog of which only a superuser can make some. */
const KINDS = [
  "access method",
  "aggregate",
  "cast",
  "function",
  "language",
  "operator",
  "operator class",
  "operator family",
  "table",
  "text search dictionary",
  "text search configuration",
  "text search parser",
  "text search template",
  "transform",
  "type",
  "view",
] as const;

const CREATES = /\bcreates (\S+) in \w+, which can do whatever the server's user may/;
const SHOWN = 5;

/**
 * What only a superuser can make is refused to every dump, and counts against those of strangers. In
 * one whose fingerprint has it, it was at the source: then it is nothing but unproven. Rows that
 * could not be restored for want of it still count.
 *
 * @param refused by the restore, for want of a superuser.
 */
export function knownAtSource(
  findings: readonly Finding[],
  refused: Refused,
  fingerprint: PostgresFingerprint,
): { readonly findings: readonly Finding[]; readonly unknown: readonly string[] } {
  const known = [...new Set(refused.objects.values())].filter((root) => isIn(fingerprint, root));
  const upon = [...refused.objects].flatMap(([object, root]) =>
    known.includes(root) ? [object] : [],
  );
  const unknown =
    known.length === 0
      ? []
      : [
          `Only a superuser can make ${known.slice(0, SHOWN).join(", ")}${known.length > SHOWN ? ` and ${known.length - SHOWN} more` : ""}, and nothing of a dump is run as one: the source had them, but that they can be restored is not known, nor of what stands on them.`,
        ];
  const isExcused = (finding: Finding) => {
    const { detector, weight, subject, what, expected = "" } = finding;
    if (weight === "note") return false;
    const object = refused.findings.get(finding);
    if (object !== undefined) return known.includes(object);
    if (detector === "hostile") {
      const made = CREATES.exec(what)?.[1]?.replaceAll('"', "");
      return made !== undefined && isIn(fingerprint, made);
    }
    if (!UPON_CATALOG.has(detector)) return false;
    // Of a table with rows there is more to lose than its definition.
    if (subject.startsWith("table ") && !expected.startsWith("foreign table")) return false;
    return upon.some((each) => mentions(catalogued(`${subject} ${expected}`), catalogued(each)));
  };
  return {
    findings: findings.map((finding) =>
      isExcused(finding) ? { ...finding, weight: "note" } : finding,
    ),
    unknown,
  };
}

const UPON_CATALOG: ReadonlySet<string> = new Set(["catalog", "index", "constraint"]);

function isIn({ catalog }: PostgresFingerprint, object: string): boolean {
  const own = catalogued(object);
  return KINDS.some((kind) =>
    Object.keys(catalog[kind] ?? {}).some((name) => mentions(catalogued(name), own)),
  );
}

/** A cast stands in the catalog as `oid as date`, in a dump as `(oid AS date)`. */
function catalogued(text: string): string {
  return text
    .replace(/^\((.*)\)$/s, "$1")
    .replaceAll('"', "")
    .replaceAll(" AS ", " as ");
}
