import { createHash } from "node:crypto";
import { describe, UserError } from "../failure/index.ts";
import type { ManifestText } from "./documents.ts";

const PATIENCE_MS = 60_000;
const MOST_BYTES = 64 * 1024 * 1024;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Fetches manifests from an address, and holds them to their checksum before anybody reads them.
 *
 * @throws {UserError} when nothing comes, or something else.
 */
export async function download(
  { url, sha256 }: { readonly url: string; readonly sha256: string },
  environment: Environment,
  signal: AbortSignal,
): Promise<ManifestText> {
  const bytes = await fetched(url, environment, signal);
  const got = createHash("sha256").update(bytes).digest("hex");
  if (got !== sha256) {
    throw new UserError({
      title: "Manifests from an address are not what they should be",
      cause: `${named(url)} has the SHA-256 ${got}, not ${sha256}.`,
      remedy:
        "Look at what changed there. If it is meant, put the new checksum into the step; nothing was changed.",
    });
  }
  return { name: named(url), text: new TextDecoder().decode(bytes) };
}

async function fetched(
  url: string,
  environment: Environment,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { EnvHttpProxyAgent, fetch } = await import("undici");
  const dispatcher = new EnvHttpProxyAgent({
    httpProxy: environment.http_proxy ?? environment.HTTP_PROXY ?? "",
    httpsProxy: environment.https_proxy ?? environment.HTTPS_PROXY ?? "",
    noProxy: environment.no_proxy ?? environment.NO_PROXY ?? "",
  });
  const limit = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  try {
    const answer = await fetch(url, { dispatcher, signal: limit });
    if (!answer.ok) throw new Error(`it answered ${answer.status} ${answer.statusText}`.trim());
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of answer.body ?? []) {
      size += chunk.byteLength;
      if (size > MOST_BYTES) throw new Error(`it is larger than ${MOST_BYTES} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    signal.throwIfAborted();
    const words = limit.aborted
      ? `no whole answer within ${PATIENCE_MS / 1_000} s`
      : describe(error);
    throw new UserError(
      {
        title: "Manifests cannot be fetched",
        cause: `${named(url)}: ${words}.`,
        remedy:
          "Check the address, and whether this runner may reach it; behind a proxy set HTTPS_PROXY. Nothing was changed.",
      },
      { reason: error },
    );
  } finally {
    await dispatcher.close().catch(() => undefined);
  }
}

/** An address without its query, which may hold a token. */
function named(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
