import type { Unanswered } from "./unanswered.ts";

/** One way to a server. */
export interface Way {
  /** Where to connect instead of to the server's own address: the near end of a port-forward. */
  readonly via?: { readonly host: string; readonly port: number } | undefined;
  /** The URL at its end, where it is not the one that was asked for: that of an Ingress's host. */
  readonly base?: URL | undefined;
  /** The pod at its end, where that is known. */
  readonly pod?: string | undefined;
}

/** Who is asked. */
export interface Target {
  /** As reports call it. */
  readonly name: string;
  /**
   * The ways that are open now: one, or one to each pod that is to be asked.
   *
   * @throws {Unanswered} when there is none now.
   */
  ways(signal: AbortSignal): Promise<readonly Way[]>;
  /** Is told that asking over a way got no answer; gives back the reason in better words. */
  failed(reason: Unanswered, way: Way): Promise<Unanswered>;
}

/** What came back when a target was asked once. */
export interface Reply {
  /** In a word or two: `200`, `SERVING`, `exit code 0`, `connected`. */
  readonly brief: string;
  /** HTTP status, where there is one. */
  readonly status?: number | undefined;
  /** From the start of the connection to the end of what was read. */
  readonly milliseconds: number;
  /** What is wrong with it, as phrases; empty when it is as it should be. */
  readonly reasons: readonly string[];
  /** What it said, for people to read. */
  readonly text: string;
  /** How much of its content was read, as it came over the wire, and whether that is all. */
  readonly bytes?: number | undefined;
  readonly complete?: boolean | undefined;
  /** Which version answered, by its own words. */
  readonly version?: string | undefined;
  /** Which pod answered: the one at the end of the way, or the one that the answer names. */
  readonly pod?: string | undefined;
  /** What a reader should know of how it was got. */
  readonly note?: string | undefined;
}

/** A question. */
export type Ask = (way: Way, timeout: number, signal: AbortSignal) => Promise<Reply>;

export type Kind = "http" | "tcp" | "grpc" | "exec";

/** Times in milliseconds. */
export interface Pace {
  /** For the whole check, all its attempts included. */
  readonly timeout: number;
  /** Between two attempts. */
  readonly interval: number;
  /** For one request. */
  readonly requestTimeout: number;
  /** How many attempts at most. */
  readonly attempts: number;
}
