import { readFile } from "node:fs/promises";
import { describe, UserError } from "../../failure/index.ts";
import { CommandFailed, execute } from "../../process/index.ts";
import { buildxError, shorten } from "../build-error.ts";
import { expectAnswer, socketOf, unanswered } from "./address.ts";
import type { BuilderExecution } from "./builder.ts";
import { askWorker, type TlsMaterial, type Worker } from "./control.ts";
import type { BuilderNotes } from "./notes.ts";
import { imageOf, type NodeSettings } from "./settings.ts";

const ANSWER_MS = 5_000;

/**
 * Version and platform of the BuildKit at an address, `buildkit v0.32.2 linux/amd64`; undefined where the
 * address is none that can be asked by ourselves, or the BuildKit too old to say.
 *
 * @throws {UserError} when nobody answers.
 */
export async function versionAt(
  address: string,
  tls: TlsMaterial | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const target = socketOf(address);
  if (target === undefined) return undefined;
  const ask = () =>
    askWorker(target, tls, AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]));
  try {
    return named(await ask());
  } catch {
    signal.throwIfAborted();
    // One that starts beside the job needs a moment; and this tells why nobody answers.
    await expectAnswer(address, signal);
  }
  try {
    return named(await ask());
  } catch (error) {
    signal.throwIfAborted();
    throw tls === undefined && !/hung up|ECONNRESET|protocol/i.test(describe(error))
      ? unanswered(address, error as Error)
      : refusedUs(address, tls, error);
  }
}

function named({ version, platform }: Worker): string | undefined {
  if (version === undefined) return undefined;
  return `buildkit ${version}${platform === undefined ? "" : ` ${platform}`}`;
}

function refusedUs(address: string, tls: TlsMaterial | undefined, error: unknown): UserError {
  return new UserError(
    {
      title: "BuildKit does not talk to us",
      cause: `BuildKit at ${address} was reached${tls === undefined ? " without TLS" : " by TLS"}: ${describe(error)}.`,
      remedy:
        tls === undefined
          ? "If it wants TLS, give the inputs buildkit-ca, buildkit-cert and buildkit-key."
          : "Check that the inputs buildkit-ca, buildkit-cert and buildkit-key are the ones that it was set up with, and that its certificate names the address's host.",
    },
    { reason: error },
  );
}

/** What images depend on of a builder that buildx knows. */
export async function versionByNotes(
  notes: BuilderNotes,
  execution: BuilderExecution,
): Promise<string> {
  if (notes.driver !== "remote") {
    return together(notes.nodes.map((node) => `${notes.driver} ${factsOf(notes.driver, node)}`));
  }
  const versions = await Promise.all(
    notes.nodes.map(async ({ endpoint = "", options }) =>
      versionAt(endpoint, await materialOf(options), execution.signal),
    ),
  );
  const known = versions.filter((version) => version !== undefined);
  if (known.length > 0 && known.length === versions.length) return together(known);
  return versionByInspecting(notes.name, execution);
}

/** The image that a node runs, and what decides for which platform it builds by itself. */
export function factsOf(
  driver: string,
  { platforms, options }: Pick<NodeSettings, "platforms" | "options">,
): string {
  const native = driver === "kubernetes" ? options.nodeselector : nativePlatform();
  return [imageOf(options), platforms.join(",") || native || ""].join(" ").trim();
}

/** That of this machine, where the daemon of a container usually is. */
function nativePlatform(): string {
  return `linux/${{ x64: "amd64", ia32: "386" }[process.arch as string] ?? process.arch}`;
}

/** TLS as buildx has noted it: names of files. */
async function materialOf(
  options: Readonly<Record<string, string>>,
): Promise<TlsMaterial | undefined> {
  const { cacert, cert, key, servername } = options;
  if (cacert === undefined) return undefined;
  const read = (file: string | undefined) => (file ? readFile(file, "utf8") : undefined);
  const [ca, ownCert, ownKey] = await Promise.all([read(cacert), read(cert), read(key)]);
  return { ca, cert: ownCert, key: ownKey, servername };
}

/** Asks buildx, which reaches what we cannot: over ssh, in a container, in a pod. */
async function versionByInspecting(name: string, execution: BuilderExecution): Promise<string> {
  const { buildx, docker } = execution;
  const command = {
    program: buildx.program,
    args: [...buildx.args, "inspect", name],
    environment: docker,
  };
  try {
    const { stdout } = await execute(command, { ...execution, deadline: 20_000 });
    const found = stdout.matchAll(/^BuildKit version: *(\S+)(?:\nPlatforms: *([^,\s]+))?/gm);
    const versions = [...found].map(([, version = "", platform = ""]) => `${version} ${platform}`);
    const error = /^Error: *(.+)$/m.exec(stdout)?.[1];
    if (versions.length > 0) return together(versions.map((each) => `buildkit ${each}`.trim()));
    if (error !== undefined) throw noVersion(name, error);
    return "buildkit";
  } catch (error) {
    execution.signal.throwIfAborted();
    if (!(error instanceof CommandFailed)) throw error;
    throw noVersion(name, shorten(buildxError(error.stderrTail.split("\n"))) || error.message);
  }
}

function noVersion(name: string, said: string): UserError {
  return new UserError({
    title: "The builder cannot be asked",
    cause: `buildx says of the builder ${name}: ${shorten(said)}.`,
    remedy: "Check that the builder of that name is there (docker buildx ls) and that it runs.",
  });
}

/** Several nodes of one version count as one. */
export function together(versions: readonly string[]): string {
  return [...new Set(versions)].sort().join(" + ") || "buildkit";
}
