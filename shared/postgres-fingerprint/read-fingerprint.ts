import { UserError } from "../failure/index.ts";
import type { PostgresFingerprint } from "./fingerprint.ts";

type Check = (value: unknown) => string | undefined;

const text: Check = (value) => (typeof value === "string" ? undefined : "is no text");
const count: Check = (value) =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 ? undefined : "is no count";
const flag: Check = (value) =>
  typeof value === "boolean" ? undefined : "is neither true nor false";
const hash: Check = (value) =>
  typeof value === "string" && /^[0-9a-f]{16}$/.test(value) ? undefined : "is no hash";
const digits: Check = (value) =>
  typeof value === "string" && /^-?\d+$/.test(value) ? undefined : "is no number";

function optional(check: Check): Check {
  return (value) => (value === undefined || value === null ? undefined : check(value));
}

function listOf(check: Check): Check {
  return (value) => {
    if (!Array.isArray(value)) return "is no list";
    for (const [index, one] of value.entries()) {
      const wrong = check(one);
      if (wrong !== undefined) return `has an entry ${index + 1} that ${wrong}`;
    }
    return undefined;
  };
}

function mapOf(check: Check): Check {
  return (value) => {
    if (!isMap(value)) return "is no map";
    for (const [name, one] of Object.entries(value)) {
      const wrong = check(one);
      if (wrong !== undefined) return `has "${name}", which ${wrong}`;
    }
    return undefined;
  };
}

function shape(fields: Readonly<Record<string, Check>>): Check {
  return (value) => {
    if (!isMap(value)) return "is no map";
    for (const [name, check] of Object.entries(fields)) {
      const wrong = check(value[name]);
      if (wrong !== undefined) return `has "${name}", which ${wrong}`;
    }
    return undefined;
  };
}

const PARTS: Check = (value) => {
  const wrong = shape({
    column: optional(text),
    type: optional(text),
    bounds: optional(listOf(text)),
    rows: listOf(count),
    hashes: listOf(text),
  })(value);
  if (wrong !== undefined) return wrong;
  const { bounds, rows, hashes } = value as {
    bounds?: unknown[];
    rows: unknown[];
    hashes: unknown[];
  };
  const isWhole =
    rows.length === hashes.length && (bounds?.length ?? rows.length - 1) === rows.length - 1;
  return isWhole ? undefined : "has not as many hashes as parts";
};

const FINGERPRINT = shape({
  taken: text,
  server: shape({ version: text, versionNumber: count, standby: flag }),
  database: shape({
    name: text,
    owner: text,
    bytes: count,
    encoding: text,
    collate: text,
    ctype: text,
    provider: text,
    locale: optional(text),
    collationVersion: optional(text),
    actualCollationVersion: optional(text),
  }),
  catalog: mapOf(mapOf(text)),
  tables: mapOf(
    shape({
      rows: count,
      bytes: count,
      hash,
      parts: optional(PARTS),
      unread: optional(text),
      passing: optional(text),
      extension: optional(text),
    }),
  ),
  sequences: mapOf(shape({ last: digits, called: flag })),
  largeObjects: shape({ count, bytes: count, hash, owners: mapOf(count), parts: optional(PARTS) }),
  heartbeat: optional(
    shape({ of: text, value: optional(text), secondsOld: optional(() => undefined) }),
  ),
  excluded: listOf(text),
});

/**
 * Takes what was kept as JSON for a fingerprint again.
 *
 * @throws {UserError} when it is none, is damaged, or comes from a later version.
 */
export function readFingerprint(value: unknown): PostgresFingerprint {
  if (isMap(value) && typeof value.schema === "number" && value.schema > 1) {
    throw new UserError({
      title: "The fingerprint is of a later version",
      cause: `It has the form ${value.schema}; this version knows form 1.`,
      remedy: "Verify the backup with the version of Seaworthy that made it, or a later one.",
    });
  }
  const wrong = isMap(value) && value.schema !== 1 ? 'has no "schema": 1' : FINGERPRINT(value);
  if (wrong === undefined) return value as PostgresFingerprint;
  throw new UserError({
    title: "The fingerprint cannot be read",
    cause: `What the backup keeps as the fingerprint of a PostgreSQL database ${wrong}.`,
    remedy:
      "It was damaged or changed. Verify another backup; this one can only be held against declared expectations.",
  });
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
