import { quoteLiteral, type Session } from "../../postgres/index.ts";
import { subjectOf } from "../dump/grammar.ts";

/** What the restorer's connections do at the moment. */
export interface Activity extends AsyncDisposable {
  /** The statement that has run the longest, as last seen; for whoever was interrupted. */
  readonly last: { readonly subject: string; readonly seconds: number } | undefined;
  /** Aborts when nothing at all has happened for too long. */
  readonly stalled: AbortSignal;
}

const LOOK_EVERY_MS = 1_000;

interface Backend {
  readonly query: string;
  readonly seconds: number;
  readonly waits: boolean;
}

/**
 * Watches what the restorer's connections do.
 *
 * @param patience milliseconds in which nobody works, on the server, before it counts as stuck:
 * every connection idle, or waiting for rows that do not come.
 */
export function watchActivity(session: Session, restorer: string, patience: number): Activity {
  const stalled = new AbortController();
  let last: Activity["last"];
  let idleSince = performance.now();
  let over = false;
  let wake = () => {};
  const look = async () => {
    while (!over) {
      const backends = await session
        .query<Backend>(
          `SELECT pg_catalog.left(query, 400) AS query, EXTRACT(EPOCH FROM pg_catalog.clock_timestamp() - query_start)::float8 AS seconds, wait_event_type IS NOT DISTINCT FROM 'Client' AS waits FROM pg_catalog.pg_stat_activity WHERE usename = ${quoteLiteral(restorer)} AND state = 'active' ORDER BY query_start`,
        )
        // What has ended the session is told elsewhere.
        .catch(() => undefined);
      if (backends === undefined || over) return;
      const [longest] = backends;
      if (longest !== undefined) {
        last = { subject: subjectOf(longest.query), seconds: longest.seconds };
      }
      if (backends.some(({ waits }) => !waits)) idleSince = performance.now();
      else if (performance.now() - idleSince > patience) return stalled.abort();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, LOOK_EVERY_MS);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
  const looking = look();
  return {
    get last() {
      return last;
    },
    stalled: stalled.signal,
    async [Symbol.asyncDispose]() {
      over = true;
      wake();
      await looking;
    },
  };
}
