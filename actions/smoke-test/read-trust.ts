import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { describe, FormatError, UserError } from "../../shared/failure/index.ts";
import { certificatesOf, type Trust } from "../../shared/probe/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";

/**
 * Whom to trust over TLS, by the inputs: PEM as it is given, or read from the file that is named.
 *
 * @throws {UserError} when a file or what it holds cannot be read.
 */
export async function readTrust(
  { ca, clientCertificate, clientKey, insecure }: Options,
  { environment, secrets }: Pick<World, "environment" | "secrets">,
): Promise<Trust> {
  if ((clientCertificate === undefined) !== (clientKey === undefined)) {
    throw unusable(
      "the inputs client-certificate and client-key go together, and only one is given",
      {},
    );
  }
  const folder = environment.GITHUB_WORKSPACE ?? process.cwd();
  const pem = async (input: string, given: string | undefined) =>
    given === undefined || given.includes("-----BEGIN") ? given : fileOf(input, folder, given);
  const key = await pem("client-key", clientKey);
  if (key !== undefined) secrets.add(key);
  const trust = {
    ca: await pem("ca", ca),
    certificate: await pem("client-certificate", clientCertificate),
    key,
    insecure,
  };
  hold("ca", trust.ca);
  hold("client-certificate", trust.certificate);
  return trust;
}

async function fileOf(input: string, folder: string, path: string): Promise<string> {
  try {
    return await readFile(resolve(folder, path), "utf8");
  } catch (error) {
    const shown = input === "client-key" ? "its file" : path;
    throw unusable(
      `the input ${input} is no PEM text, and ${shown} cannot be read: ${codeOnly(error)}`,
      {
        error,
      },
    );
  }
}

/** The system's code says why without repeating the path, which may be a misplaced secret. */
function codeOnly(error: unknown): string {
  return (error as { code?: string }).code ?? describe(error);
}

function hold(input: string, pem: string | undefined): void {
  try {
    if (pem !== undefined) certificatesOf(pem);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw unusable(`the input ${input} cannot be used: ${error.message}`, { error });
  }
}

export function unusable(cause: string, { error }: { readonly error?: unknown }): UserError {
  return new UserError(
    {
      title: "TLS cannot be set up",
      cause: `${cause.charAt(0).toUpperCase()}${cause.slice(1)}.`,
      remedy: "Correct the inputs ca, client-certificate and client-key; nothing was asked yet.",
    },
    { reason: error },
  );
}
