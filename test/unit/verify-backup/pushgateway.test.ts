import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "@jest/globals";
import { pushMetrics } from "../../../actions/verify-backup/pushgateway.ts";
import { Secrets } from "../../../shared/secrets/index.ts";
import { silentLog, systemClock } from "../../../shared/world/index.ts";

const { signal } = new AbortController();
const world = {
  ...{ clock: systemClock, log: silentLog, secrets: new Secrets(), signal, aftermath: signal },
  environment: {},
};

test("a name with a slash is a label's value in base64, as a Pushgateway takes it", async () => {
  const asked: string[] = [];
  const server = createServer((request, answer) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? ""}`.trim());
    answer.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  await pushMetrics(`http://${at}/prefix/`, "papers", "a 1\n", world);
  await pushMetrics(`http://ada:pass%20word@${at}`, "base/*", "a 1\n", world);
  server.close();
  expect(asked).toEqual([
    "PUT /prefix/metrics/job/verify-backup/backup/papers",
    "PUT /metrics/job/verify-backup/backup@base64/YmFzZS8q Basic YWRhOnBhc3Mgd29yZA==",
  ]);
});
