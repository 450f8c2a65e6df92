import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./action-manifest.ts";

/**
 * Adds to package-lock.json the packages for other platforms that the registry at hand did not
 * offer. Some mirrors carry one platform only; npm then leaves the others out of the lock without
 * a word, and `npm ci` refuses that lock everywhere. An added entry has no integrity hash, for
 * nobody here has seen the package; a lock made with a whole registry has them all.
 *
 * Run it after every change of dependencies; the contract tests tell when it is due.
 */

interface LockedPackage {
  readonly version?: string;
  readonly optional?: boolean;
  readonly dev?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

const SYSTEMS = ["aix", "android", "darwin", "freebsd", "linux", "openharmony", "sunos", "win32"];
const PROCESSORS = [
  "arm64",
  "arm",
  "x64",
  "ia32",
  "ppc64",
  "riscv64",
  "s390x",
  "loong64",
  "wasm32",
];

/** The lock with an entry for each optional dependency that it names. */
export function completeLock(lock: Lock): Lock {
  const packages: Record<string, LockedPackage> = { ...lock.packages };
  for (const { dev, optionalDependencies = {} } of Object.values(lock.packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      packages[`node_modules/${name}`] ??= {
        version: version.replace(/^[~^]/, ""),
        ...(dev === true ? { dev } : {}),
        optional: true,
        ...platformOf(name),
      };
    }
  }
  const sorted = Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...lock, packages: Object.fromEntries(sorted) };
}

/** Such packages are named for their platform: `core-linux-arm64-gnu`, `cli-win32-x64`. */
function platformOf(name: string): Pick<LockedPackage, "os" | "cpu" | "libc"> {
  const words = name.split(/[-/]/).map((word) => word.replace(/^(gnu|musl)eabi(hf)?$/, "$1"));
  const one = (known: readonly string[]) =>
    words.filter((word) => known.includes(word)).slice(0, 1);
  const [os, cpu] = [one(SYSTEMS), one(PROCESSORS)];
  const libc = words.includes("musl") ? ["musl"] : words.includes("gnu") ? ["glibc"] : [];
  return {
    ...(os.length > 0 ? { os } : {}),
    ...(cpu.length > 0 ? { cpu } : {}),
    ...(libc.length > 0 ? { libc } : {}),
  };
}

if (import.meta.main) {
  const file = join(root, "package-lock.json");
  const lock: Lock = JSON.parse(readFileSync(file, "utf8"));
  const complete = completeLock(lock);
  const added = Object.keys(complete.packages).length - Object.keys(lock.packages).length;
  writeFileSync(file, `${JSON.stringify(complete, null, 2)}\n`);
  console.log(`${added} packages for other platforms added`);
}
