export {
  type ComparisonOptions,
  compareFingerprints,
  type FingerprintComparison,
} from "./compare/compare-fingerprints.ts";
export {
  type Expectations,
  type ExpectedTable,
  parseExpectations,
} from "./expectations/expectations.ts";
export { type AgainstOptions, fingerprintAgainst } from "./expectations/fingerprint-against.ts";
export type {
  Catalog,
  DatabaseFacts,
  EntryKind,
  Heartbeat,
  LargeObjects,
  Parts,
  PostgresFingerprint,
  SequenceState,
  ServerFacts,
  TableContent,
} from "./fingerprint.ts";
export { readFingerprint } from "./read-fingerprint.ts";
export type { Exclusions } from "./selection.ts";
export type { Named, Reader, Sessions } from "./sessions.ts";
export {
  type FingerprintOptions,
  type FingerprintProgress,
  takeFingerprint,
} from "./take-fingerprint.ts";
