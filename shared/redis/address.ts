import { UserError } from "../failure/index.ts";
import type { RedisSettings } from "./settings.ts";

/** Where to connect to, and as whom. */
export interface Address {
  readonly host: string;
  readonly port: number;
  /** A Unix socket in place of host and port. */
  readonly socket: string | undefined;
  readonly tls: boolean;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** The number of a database, where one is named. */
  readonly database?: number | undefined;
}

const PORT = 6379;
const SCHEMES: Readonly<Record<string, { readonly tls: boolean; readonly unix: boolean }>> = {
  "redis:": { tls: false, unix: false },
  "valkey:": { tls: false, unix: false },
  "rediss:": { tls: true, unix: false },
  "valkeys:": { tls: true, unix: false },
  "unix:": { tls: false, unix: true },
  "redis+unix:": { tls: false, unix: true },
};

/**
 * Reads the settings' address.
 *
 * @throws {UserError} where it is none. It never shows the address, which may hold a password.
 */
export function addressOf(settings: RedisSettings): Address {
  const written = settings.url ?? "redis://127.0.0.1";
  let url: URL;
  try {
    url = new URL(written);
  } catch {
    throw noAddress("It cannot be read as an address.");
  }
  const scheme = SCHEMES[url.protocol];
  if (scheme === undefined)
    throw noAddress(`It begins with ${url.protocol}, which is none of Redis.`);
  if (!scheme.unix && url.hostname === "") throw noAddress("It names no host.");
  if (!/^(\/\d*)?$/.test(url.pathname) && !scheme.unix) {
    throw noAddress("What follows the host is no number of a database.");
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? PORT : Number(url.port),
    socket: scheme.unix ? decoded(url.pathname) : undefined,
    tls: scheme.tls,
    user: url.username === "" ? settings.user : decoded(url.username),
    password: url.password === "" ? settings.password : decoded(url.password),
    database: databaseIn(url, scheme.unix),
  };
}

function databaseIn({ pathname, searchParams }: URL, unix: boolean): number | undefined {
  const written = unix ? (searchParams.get("db") ?? "") : pathname.slice(1);
  if (!/^\d{0,9}$/.test(written)) throw noAddress("The number of its database is none.");
  return written === "" ? undefined : Number(written);
}

/** For messages: host and port, or the socket's path. */
export function placeOf({ host, port, socket }: Address): string {
  if (socket !== undefined) return socket;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw noAddress("A percent sign in it begins no escape; write a percent sign as %25.");
  }
}

function noAddress(cause: string): UserError {
  return new UserError({
    title: "The address of Redis cannot be used",
    cause,
    remedy:
      "Write it as redis://user:password@host:6379, rediss:// for TLS, or unix:///path/to/socket.",
  });
}
