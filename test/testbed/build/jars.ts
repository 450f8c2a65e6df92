import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { TestbedError } from "../configuration.ts";

/** Libraries of a Java program from Maven Central, each pinned by its checksum. */
export interface Jars {
  /** File below `jars/`: their paths in the repository, with the SHA-256 of each. */
  readonly name: string;
}

const REPOSITORY = "https://repo1.maven.org/maven2";

/** Folder with the libraries; it exists only when complete. */
export function jarsFolder(cache: string, jars: Jars): string {
  const key = createHash("sha256")
    .update(JSON.stringify(pinned(jars)))
    .digest("hex");
  return join(cache, "jars", `${jars.name}-${key.slice(0, 12)}`);
}

/** Tells whether libraries still have to be downloaded. */
export async function areJarsMissing(cache: string, jars: Jars): Promise<boolean> {
  return (await stat(jarsFolder(cache, jars)).catch(() => undefined)) === undefined;
}

/** Downloads libraries into one folder, some at once. */
export async function downloadJars(cache: string, jars: Jars): Promise<void> {
  const target = jarsFolder(cache, jars);
  const work = `${target}.unfinished`;
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  const wanted = Object.entries(pinned(jars))[Symbol.iterator]();
  const worker = async () => {
    for (const [path, sha256] of wanted) {
      await writeFile(join(work, basename(path)), await fetchJar(path, sha256));
    }
  };
  await Promise.all(Array.from({ length: 6 }, worker));
  await rename(work, target);
}

function pinned({ name }: Jars): Readonly<Record<string, string>> {
  return JSON.parse(readFileSync(join(import.meta.dirname, "..", "jars", `${name}.json`), "utf8"));
}

async function fetchJar(path: string, sha256: string): Promise<Buffer> {
  const url = `${REPOSITORY}/${path}`;
  let problem = "";
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(120_000) });
      const content = Buffer.from(await answer.arrayBuffer());
      const found = createHash("sha256").update(content).digest("hex");
      if (answer.ok && found === sha256) return content;
      problem = answer.ok ? `it has the checksum ${found}, not ${sha256}` : `${answer.status}`;
    } catch (error) {
      problem = String((error as Error).cause ?? error);
    }
  }
  throw new TestbedError(`Cannot download ${url}: ${problem}.`);
}
