import { execFileSync } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A vulnerability that nobody has. */
export interface MadeUp {
  readonly id: string;
  readonly severity: "critical" | "high" | "medium" | "low" | "negligible";
  readonly title: string;
  readonly ecosystem: "npm";
  readonly package: string;
  /** Such as `< 2.0.0`. */
  readonly versions: string;
  /** Empty when there is no fix. */
  readonly fixed: string;
}

/** A folder that grype takes for the cache of its database. */
export async function vulnerabilityDatabase(
  scanners: string,
  list: readonly MadeUp[],
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "vulnerabilities-"));
  const cache = join(folder, "cache");
  execFileSync(join(scanners, "vulnerabilities"), [folder], { input: JSON.stringify(list) });
  execFileSync(join(scanners, "grype"), ["db", "import", join(folder, "vulnerability.db")], {
    env: { ...process.env, GRYPE_DB_CACHE_DIR: cache, GRYPE_CHECK_FOR_APP_UPDATE: "false" },
    stdio: "ignore",
  });
  return cache;
}
