import type { JsonPath } from "../json/index.ts";
import type { TextExpectation } from "../probe/index.ts";
import type { StatusSet } from "./status.ts";

/** What an answer must be like; all that is given must hold. */
export interface Expectation {
  readonly status: StatusSet;
  /** By header name in lower case. */
  readonly headers: Readonly<Record<string, TextExpectation>>;
  readonly body: TextExpectation;
  readonly json: readonly { readonly path: JsonPath; readonly expected: unknown }[];
  /** From the first byte sent to the last byte of the body, in milliseconds. */
  readonly maxLatency?: number | undefined;
}

/** Where in an answer something stands. */
export type Source = { readonly header: string } | { readonly json: JsonPath };

/** One request and what its answer must be like. */
export interface HttpQuestion {
  /** What the path is appended to. */
  readonly base: URL;
  readonly method: string;
  /** Starts with a slash, may have a query. Of several, the first that the server has. */
  readonly paths: readonly [string, ...string[]];
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly followRedirects: boolean;
  readonly expectation: Expectation;
  /** Whether the answer must tell good health, whatever its status. */
  readonly health: boolean;
  /** Where the answer tells its version, and which is expected. */
  readonly version?: { readonly source: Source; readonly equals: string | undefined } | undefined;
  /** Where the answer tells the name of its pod. */
  readonly pod?: Source | undefined;
  /** Whether the end of the body matters, however long it is. */
  readonly wholeBody: boolean;
}

/** What came back; of the body at most 1 MiB is kept. */
export interface Answer {
  readonly status: number;
  /** By name in lower case; repeated ones joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** Decoded, by content encoding and charset. */
  readonly body: string;
  /** How much of the body was read, as it came over the wire. */
  readonly bodyBytes: number;
  /** Whether that was all of it. */
  readonly complete: boolean;
  /** Whether the body is longer than what is kept. */
  readonly truncated: boolean;
  /** Why its content encoding could not be undone. */
  readonly undecodable?: string | undefined;
  /** From the start of the request, connection included, to the last byte read. */
  readonly milliseconds: number;
}
