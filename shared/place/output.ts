import { PassThrough, pipeline, type Readable } from "node:stream";
import type { Ended, Running } from "./place.ts";

/**
 * A program's output as a stream that ends only when the program has ended well: what is read
 * without an error is whole. Whoever gives up reading ends the program.
 *
 * @param failure what the stream fails with where the program failed.
 */
export function outputOf(running: Running, failure: (ended: Ended) => Error): Readable {
  const checked = new PassThrough({
    flush(done) {
      void running.ended.then((ended) => done(ended.exitCode === 0 ? null : failure(ended)));
    },
  });
  pipeline(running.stdout, checked, (error) => {
    if (error !== null && error !== undefined) running.end();
  });
  return checked;
}
