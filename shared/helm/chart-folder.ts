import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** What in a template can only be answered by the cluster, or differs from run to run. */
const ASKS =
  /\blookup\b|\.Capabilities\b|\bgetHostByName\b|\.Release\.(Revision|IsUpgrade|IsInstall)\b/;

/**
 * Whether a chart renders differently with a cluster than by itself. A folder without packed
 * dependencies is read; of all else nothing is known, so that it may.
 */
export async function needsCluster(location: string): Promise<boolean> {
  const files = await filesOf(location);
  if (files === undefined || files.some((file) => /\.t?gz$/.test(file))) return true;
  const templates = files.filter((file) => file.split(/[\\/]/).includes("templates"));
  const chartFiles = files.filter((file) => /(^|[\\/])Chart\.ya?ml$/.test(file));
  const [asking, bound] = await Promise.all([
    someMatch(location, templates, ASKS),
    // A chart can demand a version of the cluster.
    someMatch(location, chartFiles, /^kubeVersion:/m),
  ]);
  return asking || bound;
}

/** Whether a chart, or one that it depends on, may have CustomResourceDefinitions in crds/. */
export async function mayHaveDefinitions(location: string): Promise<boolean> {
  const files = await filesOf(location);
  if (files === undefined) return true;
  return files.some((file) => /\.t?gz$/.test(file) || file.split(/[\\/]/).includes("crds"));
}

/** The files of a folder, from it; undefined when it is none. */
async function filesOf(location: string): Promise<readonly string[] | undefined> {
  try {
    return await readdir(location, { recursive: true });
  } catch {
    return undefined;
  }
}

async function someMatch(
  folder: string,
  files: readonly string[],
  pattern: RegExp,
): Promise<boolean> {
  const found = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(folder, file), "utf8").catch(() => "");
      return pattern.test(text);
    }),
  );
  return found.includes(true);
}
