import { cpus, loadavg } from "node:os";
import { nearestName } from "../../shared/failure/index.ts";
import { TestbedError } from "../testbed/index.ts";
import { backup } from "./backup.ts";
import { backupCorpus } from "./backup-corpus.ts";
import { buildChanged } from "./build-changed.ts";
import { buildUnchanged } from "./build-unchanged.ts";
import { coldStart } from "./cold-start.ts";
import { contentKey } from "./content-key.ts";
import { fingerprintGrowth } from "./fingerprint-growth.ts";
import { helmOverhead } from "./helm-overhead.ts";
import { type Bench, tell } from "./results.ts";
import { rolloutScale } from "./rollout-scale.ts";
import { rolloutVerdict } from "./rollout-verdict.ts";
import { verify } from "./verify.ts";
import { voyage } from "./voyage.ts";

/** `npm run bench -- NAME`: a table for people, then one line of JSON; exits 1 on a missed target. */
const BENCHES: Readonly<Record<string, Bench>> = {
  backup,
  "backup-corpus": backupCorpus,
  "build-changed": buildChanged,
  "build-unchanged": buildUnchanged,
  "cold-start": coldStart,
  "content-key": contentKey,
  "fingerprint-growth": fingerprintGrowth,
  "helm-overhead": helmOverhead,
  "rollout-scale": rolloutScale,
  "rollout-verdict": rolloutVerdict,
  verify,
  voyage,
};

async function main([name = ""]: readonly string[]): Promise<void> {
  const bench = BENCHES[name];
  if (bench === undefined) {
    const near = nearestName(name, Object.keys(BENCHES));
    const hint = near === undefined ? "" : ` Did you mean ${near}?`;
    console.error(
      `${name === "" ? "Which bench?" : `There is no bench ${JSON.stringify(name)}.${hint}`} ` +
        `There are: ${Object.keys(BENCHES).join(", ")}.`,
    );
    process.exitCode = 2;
    return;
  }
  const results = await bench((line) => console.log(line));
  // Times that were taken while others worked too say little; the reader should know.
  console.log(`Load of this machine: ${loadavg()[0]?.toFixed(1)} on ${cpus().length} processors`);
  process.exitCode = tell(name, results) ? 0 : 1;
}

await main(process.argv.slice(2)).catch((error: unknown) => {
  // A stack helps only where the mistake is ours.
  console.error(error instanceof TestbedError ? error.message : error);
  process.exitCode = 1;
});
