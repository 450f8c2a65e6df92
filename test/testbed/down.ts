import { rm, rmdir } from "node:fs/promises";
import { dirname } from "node:path";
import { Bed, readAddresses } from "./bed.ts";
import { pieces } from "./catalogue.ts";
import { type Configuration, TestbedError } from "./configuration.ts";
import { removeControlGroups } from "./control-groups.ts";
import { removeLock, withLock } from "./lock.ts";
import { dependents, select } from "./order.ts";
import { isServer } from "./piece.ts";
import { endAll, stopProcesses } from "./processes.ts";
import { duration, type Reporter } from "./progress.ts";
import { untilLinkIsGone } from "./servers/node.ts";
import { lockFile } from "./up.ts";

/** Takes the bed down and removes everything of it but the cache of built programs. */
export async function takeDown(configuration: Configuration, reporter: Reporter): Promise<void> {
  const started = Date.now();
  const onWait = () => reporter.line("Another process works on this test bed; waiting for it.");
  await withLock(lockFile(configuration), onWait, async () => {
    const bed = new Bed(configuration, (await readAddresses(configuration.state)) ?? nowhere);
    // First what starts containers, then containers; with their last process, mounts and network
    // namespaces are gone too.
    await endAll(bed);
    await removeControlGroups(bed);
    await untilLinkIsGone(bed);
    await removeFolder(bed.state);
    await removeLock(lockFile(configuration));
  });
  // Gone if this was the last bed in there.
  await rmdir(dirname(configuration.state)).catch(() => undefined);
  reporter.line(
    `The test bed ${configuration.name} is gone (${duration((Date.now() - started) / 1000)}).`,
  );
}

/** Stops some servers and those that need them, and keeps their data. */
export async function stopServers(
  configuration: Configuration,
  names: readonly string[],
  reporter: Reporter,
): Promise<void> {
  if (names.length === 0) throw new TestbedError("Stop what? See: npm run testbed -- status");
  select(pieces, {}, names);
  const onWait = () => reporter.line("Another process works on this test bed; waiting for it.");
  await withLock(lockFile(configuration), onWait, async () => {
    const addresses = await readAddresses(configuration.state);
    if (!addresses) return;
    const stopped = [...names, ...dependents(pieces.filter(isServer), names)];
    await stopProcesses(new Bed(configuration, addresses), stopped, 10_000);
    reporter.line(`Stopped ${stopped.join(", ")}.`);
  });
}

const nowhere = { registryPort: 0, host: "", node: "" };

/** Mounts of a namespace whose last process just ended may hold a folder for a moment longer. */
async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}
