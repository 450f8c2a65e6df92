import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import {
  mkdir,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join, relative } from "node:path";
import { TestbedError } from "../configuration.ts";
import { run } from "../run.ts";

/** A release of a distribution, from which packages of more versions come than the machine has. */
interface Release {
  readonly suites: string;
  readonly components: string;
  readonly archive: "debian" | "ubuntu";
  /** File below `keys/` with the public key that signs it: what it gives is pinned by that. */
  readonly key: string;
}

const releases = {
  jammy: ubuntu("jammy"),
  bookworm: debian("bookworm", "debian-12"),
  noble: ubuntu("noble"),
  trixie: debian("trixie", "debian-13"),
  resolute: ubuntu("resolute"),
} as const satisfies Record<string, Release>;

function debian(name: string, key: string): Release {
  return { suites: `${name} ${name}-updates`, components: "main", archive: "debian", key };
}

function ubuntu(name: string): Release {
  const suites = `${name} ${name}-updates`;
  return { suites, components: "main universe", archive: "ubuntu", key: "ubuntu-2018" };
}

/**
 * Programs from packages of a release, with every library that they need, the C library included:
 * they run beside whatever the machine has, and make an image's root.
 */
export interface System {
  readonly name: string;
  readonly release: keyof typeof releases;
  readonly packages: readonly string[];
}

/** What packages ask for to be installed and configured, which nothing here is. */
const LEFT_OUT = [
  /^(perl|libperl|libllvm|libclang|libz3-|debconf|dpkg|tar|usrmerge|passwd|adduser|ucf|ssl-cert)/,
  /^(lib.*-perl|openssl|postgresql.*-common|locales|libc-l10n|sensible-utils|lsb-base|netbase)$/,
  /^(init-system-helpers|sysvinit-utils|libsemanage.*|logrotate|cron|popt|gcc-.*-base)$/,
  /^(gdbm|libgdbm|libdb5|login|mawk|coreutils|base-passwd|systemd|dbus|libcryptsetup)/,
];

/** Of what is unpacked: documentation, and the compiler for queries, which needs a huge library. */
const UNWANTED = [
  ...["./usr/share/doc/*", "./usr/share/man/*", "./usr/share/locale/*"],
  ...["*/bitcode/*", "*/llvmjit.so"],
];

const triplet = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
/** What loads a program's libraries; an image, as every machine, has it at a place of its own. */
const loader = process.arch === "arm64" ? "ld-linux-aarch64.so.1" : "ld-linux-x86-64.so.2";
const loaderOfImages = `/${process.arch === "arm64" ? "lib" : "lib64"}/${loader}`;

/** The program that changes where programs look for their libraries. */
export function patchelf(cache: string): string {
  return join(cache, "debian", "patchelf", "usr/bin/patchelf");
}

/** The folder that stands for the root of a system; it exists only when complete. */
export function systemFolder(systems: string, system: System): string {
  const rule = JSON.stringify([system, releases[system.release], LEFT_OUT.map(String), UNWANTED]);
  const key = createHash("sha256").update(rule).digest("hex").slice(0, 12);
  return join(systems, `${system.name}-${key}`);
}

/** Tells whether a system still has to be made. */
export async function isSystemMissing(systems: string, system: System): Promise<boolean> {
  return (await stat(systemFolder(systems, system)).catch(() => undefined)) === undefined;
}

/** Where systems are made, and with what. */
interface Workshop {
  readonly systems: string;
  /** Folder for the lists of packages. */
  readonly lists: string;
  readonly patchelf: string;
}

/**
 * Downloads a system's packages, unpacks them into one folder, and makes its programs load the
 * libraries in there.
 */
export async function makeSystem(workshop: Workshop, system: System): Promise<void> {
  const target = systemFolder(workshop.systems, system);
  const work = `${target}.unfinished`;
  await rm(work, { recursive: true, force: true });
  await mkdir(join(work, "usr"), { recursive: true });
  const folder = join(workshop.lists, system.release);
  const archives = await download(folder, system);
  // Older packages have files beside usr, which newer ones have in it.
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    await mkdir(join(work, "usr", name));
    await symlink(`usr/${name}`, join(work, name));
  }
  for (const archive of archives) await unpack(archive, work);
  await rm(join(folder, "archives"), { recursive: true });
  await bindLinks(work);
  for (const program of await programsOf(work)) await bind(workshop.patchelf, program, target);
  await rename(work, target);
}

async function download(folder: string, system: System): Promise<string[]> {
  const archives = join(folder, "archives");
  await rm(archives, { recursive: true, force: true });
  await mkdir(join(archives, "partial"), { recursive: true });
  const options = await optionsOfApt(folder, releases[system.release]);
  try {
    await run("apt-get", [...options, "update"]);
    const install = ["install", "-y", "--print-uris", ...system.packages];
    const all = namesIn(await run("apt-get", [...options, ...install]));
    const wanted = all.filter((name) => !LEFT_OUT.some((rule) => rule.test(name)));
    await run("apt-get", [...options, "download", ...wanted], { cwd: archives });
  } catch (error) {
    const { archive } = releases[system.release];
    throw new TestbedError(
      `Cannot download ${system.packages.join(", ")} of ${archive} ${system.release}.\n` +
        `${(error as Error).message}\nThe test bed takes versions that the machine's own ` +
        `distribution has not from ${uriOf(archive)}: check that apt-get reaches it.`,
      { cause: error },
    );
  }
  const files = (await readdir(archives)).filter((name) => name.endsWith(".deb"));
  return files.map((name) => join(archives, name));
}

async function optionsOfApt(folder: string, release: Release): Promise<string[]> {
  await mkdir(join(folder, "lists", "partial"), { recursive: true });
  const sources = join(folder, "archive.sources");
  await writeFile(sources, sourcesOf(release));
  // Nothing counts as installed, so that whatever is needed is named.
  await writeFile(join(folder, "status"), "");
  const settings = {
    "APT::Sandbox::User": "root",
    "APT::Install-Recommends": "0",
    "Acquire::Languages": "none",
    "Acquire::Retries": "3",
    "Debug::NoLocking": "1",
    "Dir::State": folder,
    "Dir::State::status": join(folder, "status"),
    "Dir::Cache": folder,
    "Dir::Etc::sourcelist": sources,
    "Dir::Etc::sourceparts": "/dev/null",
  };
  return ["-q", ...Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`])];
}

function sourcesOf(release: Release): string {
  return [
    "Types: deb",
    `URIs: ${uriOf(release.archive)}`,
    `Suites: ${release.suites}`,
    `Components: ${release.components}`,
    `Signed-By: ${join(import.meta.dirname, "..", "keys", `${release.key}.asc`)}`,
    "",
  ].join("\n");
}

function uriOf(archive: Release["archive"]): string {
  if (archive === "debian") return "http://deb.debian.org/debian";
  const isPort = process.arch === "arm64";
  return isPort ? "http://ports.ubuntu.com/ubuntu-ports" : "http://archive.ubuntu.com/ubuntu";
}

/** Names of packages in what apt-get prints of those that it would download. */
function namesIn(uris: string): string[] {
  return [...uris.matchAll(/^'\S+' ([^_\s]+)_\S+\.deb /gm)].map(([, name = ""]) => name);
}

async function unpack(archive: string, root: string): Promise<void> {
  const excluded = UNWANTED.map((pattern) => `--exclude=${pattern}`);
  // What takes a package apart would put a folder in the place of a link to one.
  const both = 'file=$1; shift; dpkg-deb --fsys-tarfile "$file" | tar -x "$@"';
  const options = ["--keep-directory-symlink", "--no-same-owner", ...excluded, "-C", root];
  await run("sh", ["-c", both, "unpack", archive, ...options]);
}

/** Files of the folders of programs that load libraries. */
async function programsOf(root: string): Promise<string[]> {
  const folders = [join(root, "usr/bin"), join(root, "usr/sbin")];
  for (const parent of ["usr/lib/postgresql", "usr/lib/jvm"]) {
    const entries = await readdir(join(root, parent), { withFileTypes: true }).catch(() => []);
    for (const { name } of entries.filter((entry) => entry.isDirectory())) {
      const folder = join(root, parent, name, "bin");
      if (existsSync(folder)) folders.push(folder);
    }
  }
  const programs: string[] = [];
  for (const folder of folders) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.isFile()) programs.push(join(folder, entry.name));
    }
  }
  return programs;
}

async function bind(patchelf: string, program: string, root: string): Promise<void> {
  const isLinked = await run(patchelf, ["--print-interpreter", program]).catch(() => "");
  if (isLinked === "") return;
  const libraries = join(root, "usr/lib", triplet);
  // Forced, it holds for the libraries of libraries and for modules too.
  const own = (await run(patchelf, ["--print-rpath", program])).trim();
  const path = ["--force-rpath", "--set-rpath", own === "" ? libraries : `${own}:${libraries}`];
  await run(patchelf, ["--set-interpreter", join(libraries, loader), ...path, program]);
}

/** Links by a full path would lead to what the machine has. */
async function bindLinks(root: string): Promise<void> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => one.isSymbolicLink())) {
    const link = join(entry.parentPath, entry.name);
    const to = await readlink(link);
    if (!to.startsWith("/")) continue;
    await rm(link);
    await symlink(relative(await realpath(entry.parentPath), join(root, to)), link);
  }
}

/** Copies a system into the root of an image, where its programs find their libraries as usual. */
export async function copyIntoImage(
  { systems, patchelf }: Omit<Workshop, "lists">,
  system: System,
  root: string,
): Promise<void> {
  const from = systemFolder(systems, system);
  for (const name of ["usr", "etc"]) {
    await run("cp", ["-a", "--no-preserve=ownership", join(from, name), root]);
  }
  for (const name of ["lib", "lib64"]) await symlink(`usr/${name}`, join(root, name));
  for (const program of await programsOf(root)) {
    const isLinked = await run(patchelf, ["--print-interpreter", program]).catch(() => "");
    const bound = ["--set-interpreter", loaderOfImages, "--remove-rpath", program];
    if (isLinked !== "") await run(patchelf, bound);
  }
}
