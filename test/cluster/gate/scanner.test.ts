import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { scanImage } from "../../../shared/scan/index.ts";
import { Secrets } from "../../../shared/secrets/index.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "scanner-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Scans by a program that is no scanner. */
async function scanBy(script: string, signal = new AbortController().signal) {
  await writeFile(join(folder, "grype"), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, "grype"), 0o755);
  const platforms = [{ platform: "linux/amd64", digests: ["sha256:a", "sha256:b"] }];
  return await scanImage(
    { service: "web", image: "registry/web@sha256:x", platforms },
    "grype",
    { threshold: "high", onlyFixed: false, ignore: [] },
    {
      environment: { PATH: `${folder}:${process.env.PATH}` },
      folder,
      timeout: 1_000,
      secrets: new Secrets(),
      signal,
    },
    (work) => work(),
    Date.now(),
  );
}

const report = (given: object) =>
  `echo '${JSON.stringify({ matches: [], descriptor: {}, source: { target: { manifestDigest: "sha256:a" } }, ...given })}'`;

it.each([
  ["prints nothing", "exit 0", /said that it was done, but it printed nothing/],
  ["prints no JSON", "echo scanning", /printed something that is no JSON/],
  ["prints half a report", `echo '{"matches": ['`, /printed something that is no JSON/],
  ["prints something else", `echo '{"ok": true}'`, /the report\.descriptor is no mapping/],
  ["prints a list", "echo '[]'", /the report is no mapping/],
  ["leaves out the findings", report({ matches: null }), /the report\.matches is no list/],
  ["has a finding without a name", report({ matches: [{}] }), /matches\[0\]\.vulnerability is no/],
  ["fails", "echo '[0001] ERROR out of tea' >&2; exit 3", /no result: out of tea/],
  ["fails without a word", "exit 3", /ended with exit status 3/],
  ["is killed", "kill -9 $$", /was killed by SIGKILL/],
  ["hangs", "exec sleep 60", /did not end within [12] s/],
  [
    "looked at another image",
    report({ source: { target: { manifestDigest: "sha256:c" } } }),
    /grype reports on sha256:c; the registry has sha256:a and sha256:b/,
  ],
])("a scanner that %s comes to no result", async (_, script, cause) => {
  await expect(scanBy(script)).rejects.toMatchObject({
    name: "UserError",
    cause: expect.stringMatching(cause),
  });
});

it("a scanner that is there comes to one, asked for one platform of one digest", async () => {
  const { findings } = await scanBy(
    `[ "$*" = "registry:registry/web@sha256:x --platform linux/amd64 --output json" ] || exit 9\n${report({})}`,
  );
  expect(findings.failing).toEqual([]);
});

it("a scanner is ended when the job is cancelled", async () => {
  const stop = new AbortController();
  const scanning = scanBy("exec sleep 60", stop.signal);
  stop.abort(new Error("stop"));
  await expect(scanning).rejects.toThrow("stop");
});
