import type { Unanswered } from "./unanswered.ts";

/** The near end of a way that replaces the connection to a URL's own host. */
interface Via {
  readonly host: string;
  readonly port: number;
}

/** Where checks are sent: a URL, or something that is reached in a roundabout way. */
export interface Target {
  /** What the paths of the checks are appended to. */
  readonly base: URL;
  /**
   * Opens the way, or returns the one that is open; undefined when there is nothing to open.
   *
   * @throws {Unanswered} when there is no way now.
   */
  reach(signal: AbortSignal): Promise<Via | undefined>;
  /** Is told that a request over the way got no answer; gives back the reason in better words. */
  failed(reason: Unanswered): Promise<Unanswered>;
  close(): Promise<void>;
}

/** A URL, reached as it stands. */
export function urlTarget(base: URL): Target {
  return {
    base,
    reach: async () => undefined,
    failed: async (reason) => reason,
    close: async () => {},
  };
}

/** The URL of a check: its path appended to the base URL's path. */
export function urlOf(base: URL, path: string): URL {
  return new URL(`${base.origin}${base.pathname.replace(/\/$/, "")}${path}`);
}
