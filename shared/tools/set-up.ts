import { dirname } from "node:path";
import { compareVersions, type Range, satisfies, type Version } from "../version/index.ts";
import type { World } from "../world/index.ts";
import { cacheRoot, jobRoot, lookUp, NotWritable, programsIn, put, remove } from "./cache.ts";
import { newest, noRelease, platformOf, type Release, type Tool } from "./choose.ts";
import { diskError, isReadOnly } from "./disk-trouble.ts";
import { putPlugin } from "./docker-plugin.ts";
import type { Downloader } from "./download.ts";
import { addressOf, type Mirrors, mirrorOf } from "./mirror.ts";
import { dockerPluginFolder, findOnPath } from "./on-path.ts";
import { prove, versionOf } from "./program-version.ts";
import { digestAt } from "./unpack.ts";

/** A tool that is ready for later steps. */
export interface Ready {
  readonly tool: string;
  readonly version: string;
  /** Its first program. */
  readonly path: string;
  readonly source: "path" | "cache" | "download";
  /** Of the published file that the table names; of the program where it was there already. */
  readonly sha256: string;
  /** Whose table has this checksum; a tool that was there already is not held to any. */
  readonly checked: Release["table"] | "not checked";
  /** Where it was fetched, or would have been. */
  readonly url: string | undefined;
  /** Folders that belong on the PATH of later steps. */
  readonly folders: readonly string[];
}

/** How tools are set up, whichever they are. */
export interface Settings {
  /** Take what is on the PATH when its version will do. */
  readonly reuse: boolean;
  readonly mirrors: Mirrors;
  /** Sent to mirrors only. */
  readonly mirrorHeaders: Readonly<Record<string, string>>;
  /** For fetching one tool, in milliseconds. */
  readonly timeout: number;
}

type Means = Pick<World, "clock" | "log" | "secrets" | "signal" | "environment">;

/**
 * Makes one tool ready: the one on the PATH when its version will do, else that of the cache, else
 * a download; each held to the checksum of the table, and run to see that it is that version.
 *
 * @throws {UserError} when it cannot be had. No other version is ever taken in its place.
 */
export async function setUp(
  tool: Tool,
  range: Range,
  settings: Settings,
  downloader: Downloader,
  means: Means,
): Promise<Ready> {
  const machine = machineName();
  const release = newest(tool, range, machine.platform);
  if (settings.reuse) {
    const found = await reusable(tool, range, release, means);
    if (found !== undefined) return found;
  }
  if (release === undefined) throw noRelease(tool, range, machine);
  const { folder, source } = await obtain(release, settings, downloader, means);
  const programs = programsIn(release, folder);
  const path = programs[tool.programs[0]] ?? "";
  await prove(path, tool.proof, release.version, means);
  const placed = await placePlugin(tool, path, release, means);
  const { version, sha256, table } = release;
  return {
    tool: tool.name,
    version: version.text,
    path: placed ?? path,
    source,
    sha256,
    checked: table,
    url: addressOf(release, mirrorOf(release, settings.mirrors)).href,
    folders: [...new Set(Object.values(programs).map(dirname))],
  };
}

function machineName() {
  const { platform, arch } = process;
  const system = platform === "win32" ? "windows" : platform;
  return {
    platform: platformOf(system, arch),
    name: `${system}-${arch === "x64" ? "amd64" : arch}`,
  };
}

/** The tool as it is on this machine already, when it will do. */
async function reusable(
  tool: Tool,
  range: Range,
  release: Release | undefined,
  means: Means,
): Promise<Ready | undefined> {
  const path = await findOnPath(tool, means.environment);
  if (path === undefined) return undefined;
  const answer = await versionOf(path, tool.proof, means);
  const { log } = means;
  if (answer.version === undefined) {
    log.info(`${tool.name}: ${path} is not used, for it ${answer.why}`);
    return undefined;
  }
  const { version } = answer;
  const why = whyNotReused(tool, range, release, version);
  if (why !== undefined) {
    log.info(`${tool.name}: ${path} is version ${version.text}, and is not used: ${why}`);
    return undefined;
  }
  log.info(`${tool.name}: ${path} is version ${version.text}, which will do; it is used as it is`);
  const sha256 = (await digestAt(path)) ?? "";
  const bare = tool.releases.find(
    (one) => one.layout.archive === undefined && one.sha256 === sha256,
  );
  const checked = bare?.table ?? "not checked";
  const { name } = tool;
  return {
    tool: name,
    version: version.text,
    path,
    source: "path",
    sha256,
    checked,
    url: undefined,
    folders: [],
  };
}

function whyNotReused(
  tool: Tool,
  range: Range,
  release: Release | undefined,
  version: Version,
): string | undefined {
  const refused = tool.refused[version.text];
  if (refused !== undefined) return refused;
  if (!satisfies(range, version)) return `${range.text} is asked for`;
  if (!range.latest || release === undefined) return undefined;
  return compareVersions(version, release.version) >= 0
    ? undefined
    : `the table has ${release.version.text}`;
}

/** The folder of a release, from the cache or downloaded into it. */
async function obtain(
  release: Release,
  settings: Settings,
  downloader: Downloader,
  means: Means,
): Promise<{ readonly folder: string; readonly source: "cache" | "download" }> {
  const root = cacheRoot(means.environment);
  const cached = await fromCache(release, root, means);
  if (cached !== undefined) return { folder: cached, source: "cache" };
  const fetch = (file: string) => download(release, file, settings, downloader, means);
  try {
    return { folder: await put(release, root, fetch), source: "download" };
  } catch (error) {
    if (!(error instanceof NotWritable) && !isReadOnly(error)) {
      throw diskError(error, `${release.tool} ${release.version.text}`, root);
    }
    return await intoJobFolder(release, root, fetch, means);
  }
}

async function fromCache(
  release: Release,
  root: string,
  { log }: Means,
): Promise<string | undefined> {
  const name = `${release.tool} ${release.version.text}`;
  const cached = await lookUp(release, root);
  if (cached.state === "absent") return undefined;
  if (cached.state === "sound") {
    log.info(`${name}: ${cached.folder} is in the cache, and is what the table says, byte by byte`);
    return cached.folder;
  }
  log.warning(
    `${cached.why}. The cached ${name} is not used, but removed and fetched anew.`,
    `The cached ${name} is not what it should be`,
  );
  await remove(cached.folder);
  return undefined;
}

/** Where nothing can be written to the runner's cache, the job's own folder does. */
async function intoJobFolder(
  release: Release,
  root: string,
  fetch: (file: string) => Promise<void>,
  { environment, log }: Means,
): Promise<{ readonly folder: string; readonly source: "cache" | "download" }> {
  const own = jobRoot(environment);
  log.warning(
    `Nothing can be written to the tool cache ${root}; ${release.tool} is set up in ${own}, for this job only.`,
    "The tool cache is read-only",
  );
  const cached = await lookUp(release, own);
  if (cached.state === "sound") return { folder: cached.folder, source: "cache" };
  if (cached.state === "unsound") await remove(cached.folder);
  try {
    return { folder: await put(release, own, fetch), source: "download" };
  } catch (error) {
    throw diskError(error, `${release.tool} ${release.version.text}`, own);
  }
}

async function download(
  release: Release,
  file: string,
  { mirrors, mirrorHeaders, timeout }: Settings,
  downloader: Downloader,
  { log, signal }: Means,
): Promise<void> {
  const { tool, version, sha256, table } = release;
  const mirror = mirrorOf(release, mirrors);
  const url = addressOf(release, mirror);
  const what = `${tool} ${version.text}`;
  log.info(`${what}: fetching ${url.href}`);
  const headers = mirror === undefined ? {} : mirrorHeaders;
  const mirrored = mirror !== undefined;
  await downloader.fetch({ what, url, mirrored, headers, sha256, table }, file, timeout);
  signal.throwIfAborted();
}

/** Has docker find the tool, where it is a plugin. */
async function placePlugin(
  tool: Tool,
  program: string,
  release: Release,
  means: Means,
): Promise<string | undefined> {
  if (tool.dockerPlugin === undefined) return undefined;
  const folder = dockerPluginFolder(means.environment);
  const { path, replaced } = await putPlugin(program, tool.dockerPlugin, folder);
  if (replaced) means.log.info(`${tool.name}: ${path} was another one, and is replaced`);
  await prove(path, tool.proof, release.version, means);
  return path;
}
