import { isOfCommand } from "./build-error.ts";

/** A cause that goes away by itself, and how long it is given for that, in milliseconds. */
export interface PassingCause {
  readonly why: string;
  readonly patience: number;
}

const MINUTE = 60_000;

// What an account may not do, it may not do a minute later either.
const LASTING =
  /\b40[013459]\b|\b413\b|\b507\b|denied|unauthorized|insufficient_scope|forbidden|x509:|no such host|no space left|quota/i;

// The first that fits counts.
const PASSING: readonly (readonly [RegExp, string, number])[] = [
  [/\b429\b|too ?many ?requests/i, "the registry limits how often it is asked", 10 * MINUTE],
  [/\b408\b|\b5\d\d\b/, "the registry has a fault", 5 * MINUTE],
  [
    /tls handshake timeout|i\/o timeout|timed? ?out|deadline exceeded/i,
    "the registry was too slow",
    5 * MINUTE,
  ],
  [
    /connection reset|broken pipe|\bEOF\b|server closed|use of closed|http2: |stream error|connection lost/i,
    "the connection to the registry broke",
    5 * MINUTE,
  ],
  // An answer was lost on its way, so that a try of BuildKit's own found its upload over and done.
  [
    /blob upload (?:unknown|invalid)|BLOB_UPLOAD_(?:UNKNOWN|INVALID)|blob unknown to registry/i,
    "the registry lost track of an upload",
    60_000,
  ],
  // Most often the address is wrong; a registry that restarts is back in seconds.
  [
    /connection refused|network is unreachable|no route to host/i,
    "the registry cannot be reached",
    15_000,
  ],
];

// Little is lost when a build ends at its base image, and much time when nobody mends that.
const BASE = "failed to resolve source metadata for ";

const ABOUT_A_REGISTRY =
  /failed to push |failed to resolve source metadata for |failed to copy: |httpReadSeeker|failed to authorize: |failed to fetch (?:anonymous|oauth) token/;

/**
 * Whether what a registry did to a build passes by itself; undefined when it does not, or when the
 * error is about something else. Takes buildx's words.
 */
export function passingCause(error: string): PassingCause | undefined {
  const at = isOfCommand(error) ? undefined : ABOUT_A_REGISTRY.exec(error)?.index;
  if (at === undefined) return undefined;
  // Digests, ports and paths must not be taken for a status.
  const words = error
    .slice(at)
    .replace(/\b(?:https?:\/\/|sha256:)\S+/g, "")
    .replace(/failed to (?:push|resolve source metadata for) \S+/g, "")
    .replace(/\S+:\d+\b/g, "");
  if (LASTING.test(words)) return undefined;
  const found = PASSING.find(([pattern]) => pattern.test(words));
  if (found === undefined) return undefined;
  const [, why, patience] = found;
  return { why, patience: error.includes(BASE) ? Math.min(patience, MINUTE) : patience };
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/** How long to wait before the next try, counted from 1: doubling, by a fifth sooner or later. */
export function waitBefore(attempt: number, random: number): number {
  const wait = Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS);
  return Math.round(wait * (0.8 + 0.4 * random));
}
