// A client of the service, run by Node in a pod of the cluster: it asks at a steady rate, over a new
// connection each time, and every half second prints a line of JSON with what it has seen so far.
import { get } from "node:http";

const url = process.env.TARGET ?? "";
const pause = 1_000 / Number(process.env.PER_SECOND);
const patience = Number(process.env.PATIENCE_MS);

const seen = { sent: 0, answered: 0, failed: 0, slowestMs: 0 };
const versions: Record<string, number> = {};
const failures: string[] = [];

function ask(): void {
  const since = performance.now();
  const signal = AbortSignal.timeout(patience);
  let settled = false;
  const settle = (failure: string | undefined) => {
    // A connection that breaks can tell so twice.
    if (settled) return;
    settled = true;
    seen.slowestMs = Math.max(seen.slowestMs, Math.round(performance.now() - since));
    if (failure === undefined) seen.answered += 1;
    else seen.failed += 1;
    if (failure !== undefined && failures.length < 10) failures.push(failure);
  };
  const broken = (error: NodeJS.ErrnoException) => {
    settle(signal.aborted ? `no answer within ${patience} ms` : (error.code ?? error.message));
  };
  seen.sent += 1;
  const request = get(url, { agent: false, signal }, (response) => {
    let body = "";
    response.setEncoding("utf8");
    response.on("data", (text: string) => {
      body += text;
    });
    response.on("end", () => {
      const version = /"version":"([^"]*)"/.exec(body)?.[1];
      if (response.statusCode !== 200 || version === undefined) {
        settle(`status ${response.statusCode}: ${body.slice(0, 200)}`);
        return;
      }
      versions[version] = (versions[version] ?? 0) + 1;
      settle(undefined);
    });
    response.on("error", broken);
  });
  request.on("error", broken);
}

setInterval(ask, pause);
setInterval(() => {
  console.log(JSON.stringify({ at: Date.now(), ...seen, versions, failures }));
  seen.slowestMs = 0;
}, 500);
process.once("SIGTERM", () => process.exit(0));
