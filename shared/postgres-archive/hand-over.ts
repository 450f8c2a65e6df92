import { join } from "node:path";
import { describe, UserError } from "../failure/index.ts";
import { execute } from "../process/index.ts";
import type { World } from "../world/index.ts";
import type { ClusterFolder } from "./cluster-folder.ts";
import { Ledger } from "./ledger.ts";
import { notRecoverable } from "./not-recoverable.ts";
import type { RecoveryServer } from "./recovery-server.ts";
import type { ControlFacts } from "./recovery-settings.ts";
import { checkPages, type Tools } from "./structures.ts";

/** A cluster that leaves our hands. */
export interface Handing {
  readonly server: RecoveryServer;
  readonly folder: ClusterFolder;
  /** An empty folder of the same disk. */
  readonly to: string;
  readonly tools: Tools;
}

/**
 * Ends the server in good order, holds every page to its checksum, has everything written to the
 * disk, and moves it into a folder.
 *
 * @throws {UserError} where a page is broken, or the folder cannot take it.
 */
export async function handOver(
  { server, folder, to, tools }: Handing,
  { checksums }: ControlFacts,
  world: World,
): Promise<void> {
  await server.halt();
  if (checksums) {
    const ledger = new Ledger();
    await checkPages(tools, ledger, world);
    if (ledger.isDamaged) throw notRecoverable(ledger, undefined);
  }
  // The server ran without it, as nobody needed it to last.
  const [program = "", ...args] = [
    ...tools.isolation.prefix,
    ...[join(tools.bin, "initdb"), "--sync-only", "-D", folder.data],
  ];
  await execute({ program, args, directory: folder.path }, world);
  await folder.moveInto(to).catch((error: unknown) => {
    throw new UserError(
      {
        title: "The recovered cluster could not be put into its place",
        cause: `${to}: ${describe(error)}.`,
        remedy: `Let ${to} be a folder of a disk, not the disk itself where the cluster has tablespaces, for these come into ${to}-tablespaces; and empty both before another run.`,
      },
      { reason: error },
    );
  });
}
