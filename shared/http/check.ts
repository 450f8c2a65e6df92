import type { JsonPath } from "../json/index.ts";
import type { StatusSet } from "./status.ts";

/** What a text must be like; all that is given must hold. */
export interface TextExpectation {
  readonly equals?: string | undefined;
  readonly contains: readonly string[];
  readonly matches: readonly RegExp[];
}

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

/** One request and what its answer must be like. */
export interface Check {
  /** As reports call it. */
  readonly name: string;
  readonly method: string;
  /** Appended to the base URL's path; starts with a slash, may have a query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly followRedirects: boolean;
  readonly expectation: Expectation;
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
