import { X509Certificate } from "node:crypto";
import { createSecureContext, getCACertificates, type SecureContext } from "node:tls";
import { describe, FormatError } from "../failure/index.ts";

/** Whom a client trusts over TLS, and how it shows who it is itself. */
export interface Trust {
  /** Certificates of authorities that are trusted beside the well-known ones; PEM. */
  readonly ca?: string | undefined;
  /** The name that the server's certificate must hold, where it is not the host's. */
  readonly serverName?: string | undefined;
  /** The client's own certificate, with its chain, and its key; PEM. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  /** Takes any certificate for good. */
  readonly insecure: boolean;
}

/** The options of Node's TLS clients for a trust. */
export interface TlsOptions {
  readonly secureContext?: SecureContext;
  readonly servername?: string;
  readonly rejectUnauthorized: boolean;
}

const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/**
 * The certificates of a PEM text.
 *
 * @throws {FormatError} when there is none, or one cannot be read.
 */
export function certificatesOf(pem: string): readonly string[] {
  const blocks = pem.match(BLOCK) ?? [];
  if (blocks.length === 0) throw new FormatError("it holds no certificate in PEM form");
  for (const [at, block] of blocks.entries()) {
    try {
      new X509Certificate(block);
    } catch (error) {
      throw new FormatError(`its certificate ${at + 1} cannot be read: ${describe(error)}`);
    }
  }
  return blocks;
}

/**
 * @throws {FormatError} when a certificate or key cannot be used.
 */
export function tlsOptions({ ca, serverName, certificate, key, insecure }: Trust): TlsOptions {
  const own = certificate === undefined ? {} : { cert: certificate, key };
  const authorities =
    ca === undefined ? {} : { ca: [...getCACertificates(), ...certificatesOf(ca)] };
  const plain = ca === undefined && certificate === undefined;
  return {
    ...(plain ? {} : { secureContext: contextOf({ ...own, ...authorities }) }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    rejectUnauthorized: !insecure,
  };
}

function contextOf(options: Parameters<typeof createSecureContext>[0]): SecureContext {
  try {
    return createSecureContext(options);
  } catch (error) {
    throw new FormatError(`the client certificate and its key cannot be used: ${describe(error)}`);
  }
}
