/**
 * Work that several may wait for at once and that is done once for all of them. It is broken off
 * when nobody waits for it any longer.
 */
export class SharedWork<T> {
  readonly #work: (signal: AbortSignal) => Promise<T>;
  #running:
    | { readonly result: Promise<T>; readonly stop: AbortController; waiting: number }
    | undefined;

  constructor(work: (signal: AbortSignal) => Promise<T>) {
    this.#work = work;
  }

  /** Joins the work that is under way, or begins it. */
  async join(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const running = this.#running ?? this.#begin();
    running.waiting += 1;
    const left = Promise.withResolvers<never>();
    const onAbort = () => left.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([running.result, left.promise]);
    } finally {
      signal.removeEventListener("abort", onAbort);
      running.waiting -= 1;
      if (running.waiting === 0) running.stop.abort();
    }
  }

  #begin() {
    const stop = new AbortController();
    const running = { result: this.#work(stop.signal), stop, waiting: 0 };
    this.#running = running;
    const over = () => {
      if (this.#running === running) this.#running = undefined;
    };
    running.result.then(over, over);
    return running;
  }
}
