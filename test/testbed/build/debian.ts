import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { TestbedError } from "../configuration.ts";
import { run } from "../run.ts";

/** The packages that are not yet unpacked in the cache. */
export async function missingPackages(
  cache: string,
  packages: Iterable<string>,
): Promise<string[]> {
  const missing: string[] = [];
  for (const name of new Set(packages)) {
    const unpacked = await stat(join(cache, "debian", name)).catch(() => undefined);
    if (!unpacked) missing.push(name);
  }
  return missing;
}

/**
 * Downloads Debian packages and unpacks each in a folder of its own. Nothing is installed: the
 * machine keeps the versions and services that it has.
 */
export async function unpackPackages(cache: string, packages: readonly string[]): Promise<void> {
  const work = join(cache, "debian", ".unfinished");
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  await download(cache, work, packages);
  for (const file of await readdir(work)) {
    if (!file.endsWith(".deb")) continue;
    const name = file.slice(0, file.indexOf("_"));
    await run("dpkg-deb", ["-x", join(work, file), join(work, name)]);
    await rename(join(work, name), join(cache, "debian", name));
  }
  await rm(work, { recursive: true, force: true });
}

async function download(cache: string, work: string, packages: readonly string[]): Promise<void> {
  // The download sandbox's user may not write to the cache; signatures are checked all the same.
  const common = ["-q", "-o", "APT::Sandbox::User=root"];
  const get = (options: readonly string[]) =>
    run("apt-get", [...common, ...options, "download", ...packages], { cwd: work });
  try {
    await get([]);
  } catch {
    // A new machine has no package lists, an old one stale ones. Lists of our own are loaded.
    const own = join(cache, "apt");
    await mkdir(join(own, "lists", "partial"), { recursive: true });
    const options = ["-o", `Dir::State::lists=${own}/lists`, "-o", `Dir::Cache=${own}`];
    try {
      await run("apt-get", [...common, ...options, "update"]);
      await get(options);
    } catch (error) {
      throw new TestbedError(
        `Cannot download the Debian packages ${packages.join(", ")}.\n${(error as Error).message}\n` +
          "The test bed takes them from Debian 12 or later, or Ubuntu 24.04 or later, through " +
          "apt-get: check that `apt-get update` works here.",
        { cause: error },
      );
    }
  }
}
