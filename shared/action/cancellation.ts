import { UserError } from "../failure/index.ts";

/** The time a use case has, after it was told to stop, for putting the world right. */
export const AFTERMATH_MS = 5_000;

/** The reason that an aborted `world.signal` carries. */
export class Cancelled extends UserError {
  constructor(signalName: string) {
    super({
      title: "Cancelled",
      cause: `The job was cancelled (${signalName}) before the work was done.`,
      remedy: "Run the job again: it goes on from whatever state it finds.",
    });
    this.name = "Cancelled";
  }
}

export interface Cancellation extends Disposable {
  readonly signal: AbortSignal;
  readonly aftermath: AbortSignal;
  /** Resolves when the time for putting the world right is over; never without a cancellation. */
  readonly expired: Promise<void>;
  /** Tells the use case to stop for another reason than a signal. The first reason counts. */
  stop(reason: UserError): void;
}

/**
 * Turns SIGINT and SIGTERM into an aborted signal. A runner sends SIGINT, SIGTERM 7.5 s later,
 * and kills 2.5 s after that; the first one counts, the others change nothing.
 */
export function listenForCancellation(): Cancellation {
  const work = new AbortController();
  const aftermath = new AbortController();
  const { promise: expired, resolve: expire } = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | undefined;
  const stop = (reason: UserError) => {
    if (work.signal.aborted) return;
    timer = setTimeout(() => {
      aftermath.abort(reason);
      expire();
    }, AFTERMATH_MS);
    work.abort(reason);
  };
  const onSignal = (name: NodeJS.Signals) => stop(new Cancelled(name));
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return {
    signal: work.signal,
    aftermath: aftermath.signal,
    expired,
    stop,
    [Symbol.dispose]() {
      clearTimeout(timer);
      process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    },
  };
}
