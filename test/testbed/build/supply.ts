import { join } from "node:path";
import type { Configuration } from "../configuration.ts";
import { withLock } from "../lock.ts";
import type { Piece } from "../piece.ts";
import { duration, type Reporter, remaining } from "../progress.ts";
import { missingPackages, unpackPackages } from "./debian.ts";
import { buildGoModule, type GoModule, isMissing } from "./go-module.ts";
import { areJarsMissing, downloadJars, type Jars } from "./jars.ts";
import { isSystemMissing, makeSystem, patchelf, type System } from "./system.ts";

/** Downloads and builds what these pieces use and the cache does not hold yet. */
export async function supply(
  configuration: Configuration,
  pieces: readonly Piece[],
  reporter: Reporter,
): Promise<void> {
  if (!(await isIncomplete(configuration, pieces))) return;
  const { cache } = configuration;
  const onWait = () => reporter.line("Another process fills the cache of this test bed; waiting.");
  await withLock(join(cache, "lock"), onWait, async () => {
    const packages = await missingPackages(cache, packagesOf(pieces));
    if (packages.length > 0) {
      reporter.line(`Downloading ${packages.length} Debian packages: ${packages.join(", ")}.`);
      await unpackPackages(cache, packages);
    }
    await makeSystems(configuration, pieces, reporter);
    for (const jars of await missingJars(cache, pieces)) {
      reporter.line(`Downloading the libraries of ${jars.name}.`);
      await downloadJars(cache, jars);
    }
    const modules = await missingModules(cache, pieces);
    if (modules.length > 0) await build(cache, modules, reporter);
  });
}

async function isIncomplete(
  configuration: Configuration,
  pieces: readonly Piece[],
): Promise<boolean> {
  const { cache } = configuration;
  if ((await missingPackages(cache, packagesOf(pieces))).length > 0) return true;
  if ((await missingSystems(configuration, pieces)).length > 0) return true;
  if ((await missingJars(cache, pieces)).length > 0) return true;
  return (await missingModules(cache, pieces)).length > 0;
}

async function missingJars(cache: string, pieces: readonly Piece[]): Promise<Jars[]> {
  const missing: Jars[] = [];
  for (const jars of pieces.flatMap((piece) => piece.jars ?? [])) {
    if (await areJarsMissing(cache, jars)) missing.push(jars);
  }
  return missing;
}

function packagesOf(pieces: readonly Piece[]): string[] {
  const forSystems = pieces.some(({ systems = [] }) => systems.length > 0) ? ["patchelf"] : [];
  return [...pieces.flatMap((piece) => piece.packages ?? []), ...forSystems];
}

async function missingSystems({ systems }: Configuration, pieces: readonly Piece[]) {
  const missing = new Map<string, System>();
  for (const system of pieces.flatMap((piece) => piece.systems ?? [])) {
    if (await isSystemMissing(systems, system)) missing.set(system.name, system);
  }
  return [...missing.values()];
}

async function makeSystems(
  configuration: Configuration,
  pieces: readonly Piece[],
  reporter: Reporter,
): Promise<void> {
  const { cache, systems } = configuration;
  for (const system of await missingSystems(configuration, pieces)) {
    reporter.line(`Downloading ${system.name} of ${system.release}, with its libraries.`);
    await makeSystem({ systems, lists: join(cache, "apt"), patchelf: patchelf(cache) }, system);
  }
}

async function missingModules(cache: string, pieces: readonly Piece[]): Promise<GoModule[]> {
  const missing = new Map<string, GoModule>();
  for (const module of pieces.flatMap((piece) => piece.modules ?? [])) {
    if (await isMissing(cache, module)) missing.set(module.name, module);
  }
  return [...missing.values()];
}

async function build(cache: string, modules: readonly GoModule[], reporter: Reporter) {
  const steps = modules.map(({ name, typical }) => ({ name, seconds: typical.seconds, done: 0 }));
  const started = Date.now();
  const elapsed = () => (Date.now() - started) / 1000;
  for (const [index, module] of modules.entries()) {
    const step = steps[index];
    if (!step) continue;
    const say = () =>
      reporter.progress(
        `building ${module.name} ${index + 1}/${modules.length}, ` +
          `${duration(remaining(steps, elapsed()))} left`,
      );
    // Downloading and linking compile nothing, but take time: the time left is to go on moving.
    const ticking = setInterval(say, 1000);
    try {
      const before = elapsed();
      say();
      await buildGoModule(cache, module, () => {
        // The last percents are for linking, which no package announces.
        step.done = Math.min(step.done + 0.95 / module.typical.packages, 0.95);
      });
      step.done = 1;
      reporter.line(
        `built ${module.name} ${index + 1}/${modules.length} in ${duration(elapsed() - before)}`,
      );
    } finally {
      clearInterval(ticking);
    }
  }
}
