import { join } from "node:path";
import type { Isolation } from "../isolation/index.ts";
import { bareEnvironment } from "../postgres-restore/index.ts";
import { CommandFailed, execute } from "../process/index.ts";
import type { World } from "../world/index.ts";
import type { ClusterFolder } from "./cluster-folder.ts";
import type { Ledger } from "./ledger.ts";
import type { RecoveryServer } from "./recovery-server.ts";

/** By what a copied cluster is checked. */
export interface Tools {
  readonly bin: string;
  readonly isolation: Isolation;
  readonly folder: ClusterFolder;
}

const MOST_TOLD = 10;

/** Has pg_amcheck hold every table and every index of every database to its own rules. */
export async function checkStructures(
  server: RecoveryServer,
  tools: Tools,
  ledger: Ledger,
  world: World,
): Promise<void> {
  const where = [
    "--host",
    tools.folder.path,
    "--port",
    "5432",
    "--username",
    server.user,
    "--no-password",
  ];
  const args = ["--all", "--install-missing", "--heapallindexed", ...where];
  const said = await run("pg_amcheck", args, tools, world);
  if (said === undefined) return;
  if (
    /could not open extension control file|extension "amcheck" is not available/.test(said.text)
  ) {
    ledger.unknown.push(
      "The extension amcheck is not there, so that no index was held against its table.",
    );
    return;
  }
  const lines = said.text.split("\n");
  const broken = lines.filter((line) => /^(heap table|btree index) /.test(line.trim()));
  for (const line of broken.slice(0, MOST_TOLD)) {
    const at = lines.indexOf(line);
    const detail = (lines[at + 1] ?? "").trim().replace(/\.$/, "");
    const subject = line
      .trim()
      .replace(/^heap table/, "table")
      .replace(/^btree index/, "index")
      .replace(/[:,].*$/, "");
    ledger.damage("amcheck", subject, `pg_amcheck found it broken: ${detail || line.trim()}.`);
  }
  if (broken.length === 0) {
    ledger.damage(
      "amcheck",
      "cluster",
      `pg_amcheck failed: ${lines.find((line) => line.trim() !== "")?.replace(/\.$/, "") ?? said.message}.`,
    );
  }
}

/** Has pg_checksums read every page of a cluster whose server has ended in good order. */
export async function checkPages(tools: Tools, ledger: Ledger, world: World): Promise<void> {
  const said = await run("pg_checksums", ["--check", "-D", tools.folder.data], tools, world);
  if (said === undefined) return;
  const broken = said.text.split("\n").filter((line) => /checksum verification failed/.test(line));
  for (const line of broken.slice(0, MOST_TOLD)) {
    const [, file = "cluster", block = "?"] = /in file "([^"]*)", block (\d+)/.exec(line) ?? [];
    ledger.damage(
      "page-checksum",
      file.replace(`${tools.folder.data}/`, ""),
      `Page ${block} does not have the checksum that was written with it.`,
    );
  }
  if (broken.length === 0)
    ledger.damage(
      "page-checksum",
      "cluster",
      `pg_checksums failed: ${said.text.trim().split("\n").at(-1) || said.message}.`,
    );
}

/** @returns undefined where it succeeded. */
async function run(
  name: string,
  args: readonly string[],
  { bin, isolation, folder }: Tools,
  { signal, secrets }: World,
): Promise<{ readonly text: string; readonly message: string } | undefined> {
  const [program = "", ...rest] = [...isolation.prefix, join(bin, name), ...args];
  try {
    await execute(
      {
        program,
        args: rest,
        directory: folder.path,
        environment: { ...bareEnvironment(), HOME: folder.path },
        leashed: true,
      },
      { signal, secrets, keep: 65_536 },
    );
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof CommandFailed)) throw error;
    return { text: `${error.stdoutTail}\n${error.stderrTail}`, message: error.message };
  }
}
