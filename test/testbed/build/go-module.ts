import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { cp, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { TestbedError } from "../configuration.ts";
import { run } from "../run.ts";

/** A folder below `go/` whose go.mod and go.sum pin what is built from it. */
export interface GoModule {
  readonly name: string;
  /** Changes with whatever the result depends on, so that a changed module is built anew. */
  readonly key: string;
  readonly programs: readonly string[];
  readonly linkerFlags: string;
  /** Files of a dependency to keep beside the programs: module, file or folder there, name here. */
  readonly files: readonly (readonly [module: string, from: string, to: string])[];
  /** How long the build takes from nothing on two cores, and how many packages it compiles. */
  readonly typical: { readonly seconds: number; readonly packages: number };
}

interface Given extends Pick<GoModule, "name" | "typical"> {
  readonly programs?: readonly string[];
  readonly files?: GoModule["files"];
  /** Variables to set at link time: to a value, or to the version of a module in go.mod. */
  readonly variables?: Readonly<Record<string, string | { readonly versionOf: string }>>;
}

/** Describes a module; its programs are the tools of its go.mod unless told otherwise. */
export function goModule(given: Given): GoModule {
  const programs = given.programs ?? ["tool"];
  const folder = sources(given.name);
  const pinned = readFileSync(join(folder, "go.mod"), "utf8");
  const variables = Object.entries(given.variables ?? {}).map(([name, value]) => {
    const text = typeof value === "string" ? value : versionOf(value.versionOf, pinned);
    return `-X ${name}=${text}`;
  });
  const linkerFlags = ["-s", "-w", ...variables].join(" ");
  const files = given.files ?? [];
  const sum = createHash("sha256").update(JSON.stringify([programs, linkerFlags, files]));
  const inputs = readdirSync(folder, { recursive: true, encoding: "utf8" });
  for (const input of inputs.filter((name) => /\.(go|mod|sum)$/.test(name)).sort()) {
    sum.update(input).update(readFileSync(join(folder, input)));
  }
  const key = sum.digest("hex").slice(0, 12);
  return { name: given.name, typical: given.typical, programs, linkerFlags, files, key };
}

function versionOf(module: string, pinned: string): string {
  const line = pinned.split("\n").find((text) => text.trim().startsWith(`${module} v`));
  const [, version] = line?.trim().split(" ") ?? [];
  if (version === undefined) throw new Error(`go.mod names no version of ${module}`);
  return version;
}

/** Folder of a built module; it exists only when complete. */
export function builtFolder(cache: string, { name, key }: GoModule): string {
  return join(cache, "go", `${name}-${key}`);
}

/** Tells whether a module still has to be built. */
export async function isMissing(cache: string, module: GoModule): Promise<boolean> {
  return (await stat(builtFolder(cache, module)).catch(() => undefined)) === undefined;
}

/** Builds a module; `onPackage` is called for every package that is compiled on the way. */
export async function buildGoModule(
  cache: string,
  module: GoModule,
  onPackage: () => void,
): Promise<void> {
  const target = builtFolder(cache, module);
  await removeUnfinished(target);
  // A build whose starter was killed may still be at work: it must not write among our files.
  const unfinished = `${target}.unfinished-${process.pid}`;
  await mkdir(unfinished, { recursive: true });
  const options = {
    cwd: sources(module.name),
    env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "", GOWORK: "off" },
  };
  const isPackage = (line: string) => !line.includes(" ");
  const flags = ["-v", "-trimpath", "-buildvcs=false", "-ldflags", module.linkerFlags];
  await run("go", ["build", ...flags, "-o", `${unfinished}/`, ...module.programs], {
    ...options,
    onErrorLine: (line) => isPackage(line) && onPackage(),
  }).catch((error: Error) => {
    throw new TestbedError(`Building ${module.name} failed. ${advice(error)}`, { cause: error });
  });
  for (const [dependency, from, to] of module.files) {
    const folder = (await run("go", ["list", "-m", "-f", "{{.Dir}}", dependency], options)).trim();
    await cp(join(folder, from), join(unfinished, to), { recursive: true });
  }
  await rename(unfinished, target);
}

async function removeUnfinished(target: string): Promise<void> {
  const names = await readdir(dirname(target)).catch(() => []);
  for (const name of names.filter((name) => name.startsWith(`${basename(target)}.unfinished-`))) {
    await rm(join(dirname(target), name), { recursive: true, force: true });
  }
}

function sources(name: string): string {
  return join(import.meta.dirname, "..", "go", name);
}

function advice(error: Error): string {
  if (error.message.startsWith("cannot run go")) {
    return (
      "The test bed builds its servers from source and finds no Go: install Go 1.26 or later and " +
      "put it on the PATH."
    );
  }
  return `Go says:\n${error.message}\nRun the same command again: what was compiled is kept.`;
}
