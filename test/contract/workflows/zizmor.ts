import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { missingPackages, unpackPackages } from "../../testbed/build/debian.ts";
import { readConfiguration } from "../../testbed/configuration.ts";
import { runTool } from "../tool.ts";

const VERSION = "1.32.0";
/** The wheels for x86-64 and arm64, each for glibc; pip refuses any other file. */
const HASHES = [
  "84a6acb975accc13408786a2bd274b572537ca19c933ebbc13e78f3988562071",
  "0cdd38fca6eb34ceb567548548d706332e3535ea66894b9168c048e03207b68c",
];

/** The path of zizmor, which finds weaknesses in workflows; installed into the bed's cache once. */
export async function zizmor(): Promise<string> {
  const { cache } = readConfiguration(process.env);
  const folder = join(cache, "python", `zizmor-${VERSION}`);
  const program = join(folder, "bin", "zizmor");
  if (existsSync(program)) return program;
  mkdirSync(join(cache, "python"), { recursive: true });
  const work = mkdtempSync(join(cache, "python", ".unfinished-"));
  try {
    const requirements = join(work, "requirements.txt");
    const hashes = HASHES.map((hash) => ` --hash=sha256:${hash}`).join("");
    writeFileSync(requirements, `zizmor==${VERSION}${hashes}\n`);
    const target = join(work, "target");
    const pip = await pathToPip(cache);
    const options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"];
    const args = [...pip, "install", ...options, "--only-binary=:all:", "--target", target];
    const { status, stderr } = runTool("env", [...args, "--requirement", requirements]);
    if (status !== 0) throw new Error(`pip could not install zizmor: ${stderr}`);
    if (!existsSync(program)) renameSync(target, folder);
    return program;
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** How to call pip. Where Python has none, as on a bare Debian, its package is unpacked. */
export async function pathToPip(cache: string): Promise<string[]> {
  if (runTool("python3", ["-m", "pip", "--version"]).status === 0) return ["python3", "-m", "pip"];
  const packages = ["python3-pip", "python3-pip-whl", "python3-setuptools", "python3-wheel"];
  await unpackPackages(cache, await missingPackages(cache, packages));
  const folders = packages.map((name) =>
    join(cache, "debian", name, "usr/lib/python3/dist-packages"),
  );
  return [`PYTHONPATH=${folders.join(":")}`, "/usr/bin/python3", "-m", "pip"];
}
