import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../failure/index.ts";
import type { Secrets } from "../secrets/index.ts";
import type { ChartRef } from "./arguments.ts";
import type { Helm } from "./helm.ts";
import type { PrivateFolder } from "./values-folder.ts";

/** Where a chart comes from, as a user says it. */
export interface ChartSource extends ChartRef {
  /** The address of a repository, in which the chart is looked up by its name. */
  readonly repository?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Certificates to trust, as PEM. */
  readonly ca?: string | undefined;
}

/** A chart that is at hand. */
export interface FetchedChart {
  readonly chart: ChartRef;
  /** What the registry says that it is; of a chart from a registry only. */
  readonly digest?: string | undefined;
}

const REPOSITORY = "repository";
const DIGEST = /@(sha256:[0-9a-f]{64})$/;

/**
 * The variables that lead Helm to credentials in private files: a password on a command line could
 * be read by every process of the machine. Empty where nothing of the kind is needed.
 */
export async function chartEnvironment(
  source: ChartSource,
  folder: PrivateFolder,
  secrets: Secrets,
): Promise<Readonly<Record<string, string>>> {
  if (source.repository !== undefined)
    return repositoryFiles(source, source.repository, folder, secrets);
  if (source.username === undefined && source.password === undefined) return {};
  if (!source.location.startsWith("oci://")) throw uselessCredentials(source.location);
  const host = source.location.slice("oci://".length).split("/")[0] ?? "";
  const auth = Buffer.from(`${source.username ?? ""}:${source.password ?? ""}`).toString("base64");
  secrets.add(auth);
  const text = JSON.stringify({ auths: { [host]: { auth } } });
  const file = await folder.write("registry.json", { title: "the registry's credentials", text });
  return { HELM_REGISTRY_CONFIG: file };
}

async function repositoryFiles(
  source: ChartSource,
  address: string,
  folder: PrivateFolder,
  secrets: Secrets,
): Promise<Readonly<Record<string, string>>> {
  const url = addressOf(address);
  const username = source.username ?? decodeURIComponent(url.username);
  const password = source.password ?? decodeURIComponent(url.password);
  if (password !== "") secrets.add(password);
  url.username = "";
  url.password = "";
  const caFile = await caFileOf(source, folder);
  const entry = { name: REPOSITORY, url: `${url}`, username, password, caFile: caFile ?? "" };
  // YAML takes JSON.
  const text = JSON.stringify({
    apiVersion: "",
    generated: "0001-01-01T00:00:00Z",
    repositories: [entry],
  });
  const file = await folder.write("repositories.yaml", { title: "the repository", text });
  return { HELM_REPOSITORY_CONFIG: file, HELM_REPOSITORY_CACHE: await folder.folder("repository") };
}

function addressOf(repository: string): URL {
  const url = URL.parse(repository);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new UserError({
    title: "No such form of repository",
    cause: `${JSON.stringify(repository.replace(/\/\/[^/@]*@/, "//***@"))} is no address of a chart repository.`,
    remedy:
      "Give an address that begins with https://, and the chart's name as `chart`; a chart in a registry is `chart: oci://...` without `repository`.",
  });
}

async function caFileOf({ ca }: ChartSource, folder: PrivateFolder): Promise<string | undefined> {
  if (ca === undefined) return undefined;
  return folder.write("ca.pem", { title: "the input chart-ca", text: ca });
}

/**
 * Gets a chart that is not on this machine, once, so that what is checked is what is released. A
 * digest in its reference is held to what the registry gave.
 *
 * @throws {UserError} when it cannot be had, or is another than the digest says.
 */
export async function fetchChart(
  source: ChartSource,
  helm: Helm,
  folder: PrivateFolder,
  signal: AbortSignal,
): Promise<FetchedChart> {
  const { location, version, repository } = source;
  if (repository === undefined && !(await isRemote(location)))
    return { chart: { location, version } };
  const into = join(folder.path, "chart");
  await mkdir(into, { mode: 0o700 });
  if (repository !== undefined) await helm.updateRepository(REPOSITORY, signal);
  const reference = repository === undefined ? location : `${REPOSITORY}/${location}`;
  const wanted = DIGEST.exec(location)?.[1];
  const caFile = repository === undefined ? await caFileOf(source, folder) : undefined;
  const asked = { location: reference, version, shown: location };
  const said = await helm.pull(asked, into, { caFile, plain: isLoopback(location) }, signal);
  const [file] = await readdir(into);
  if (file === undefined) throw new Error(`helm pull left nothing: ${said}`);
  const digest = /^Digest: (sha256:[0-9a-f]{64})$/m.exec(said)?.[1];
  if (wanted !== undefined && digest !== undefined && digest !== wanted) {
    throw otherChart(location, digest);
  }
  return { chart: { location: join(into, file) }, digest: digest ?? wanted };
}

/** A registry, or a repository that an earlier step made known to Helm. */
async function isRemote(location: string): Promise<boolean> {
  if (location.startsWith("oci://") || /^https?:\/\//.test(location)) return true;
  if (!/^[\w.-]+\/[\w.-]+$/.test(location) || location.startsWith(".")) return false;
  return stat(location).then(
    () => false,
    () => true,
  );
}

/** Registries on this machine are spoken to without encryption, as Docker does it. */
function isLoopback(location: string): boolean {
  return /^oci:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?\//.test(location);
}

function uselessCredentials(location: string): UserError {
  return new UserError({
    title: "Credentials without a place for them",
    cause: `chart-username and chart-password are given, but the chart ${JSON.stringify(location)} comes from no registry, and no \`repository\` is given.`,
    remedy:
      "Give the address of the repository, or leave the credentials out; nothing was changed.",
  });
}

function otherChart(location: string, digest: string): UserError {
  return new UserError({
    title: "The registry gave another chart",
    cause: `${location} was asked for, and the registry gave ${digest}.`,
    remedy: "Do not trust that registry until you know why; nothing was changed.",
  });
}
