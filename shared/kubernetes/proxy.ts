import { BlockList, isIP } from "node:net";
import type { World } from "../world/index.ts";

/**
 * The proxy that the environment names for an address, as Go's programs and so kubectl take it:
 * HTTPS_PROXY or HTTP_PROXY by the address's scheme, in capitals or small letters, but for what
 * NO_PROXY lists, and never for this machine itself.
 *
 * Source: golang.org/x/net/http/httpproxy.
 */
export function proxyFor(address: string, environment: World["environment"]): string | undefined {
  const url = new URL(address);
  const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  if (isThisMachine(host)) return undefined;
  const get = (name: string) => environment[name] || environment[name.toLowerCase()] || "";
  const proxy = get(url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY");
  if (proxy === "") return undefined;
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  const exempt = get("NO_PROXY")
    .split(",")
    .some((entry) => matches(entry.trim(), host, port));
  return exempt ? undefined : withScheme(proxy);
}

function isThisMachine(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** `*`, an address, a range of addresses, or a name with or without what is below it. */
function matches(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  if (entry === "") return false;
  if (/^[^/]+\/\d+$/.test(entry)) return isInRange(entry, host);
  const [, name = "", only] = /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(withoutAmbiguity(entry)) ?? [];
  if (only !== undefined && only !== port) return false;
  const wanted = name.toLowerCase();
  if (isIP(wanted) !== 0 || isIP(host) !== 0) return wanted === host;
  // `.example.com` is what is below it; `example.com` also itself.
  const below = wanted.replace(/^\*?\.?/, ".");
  return host.endsWith(below) || (!wanted.startsWith(".") && `.${host}` === below);
}

/** A bare address of version 6 has colons of its own, and no port. */
function withoutAmbiguity(entry: string): string {
  return isIP(entry) === 6 ? `[${entry}]` : entry;
}

function isInRange(range: string, host: string): boolean {
  const version = isIP(host);
  const [network = "", prefix = ""] = range.split("/");
  if (version === 0 || isIP(network) !== version) return false;
  const family = version === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  try {
    list.addSubnet(network, Number(prefix), family);
  } catch {
    // No range that anything could be in.
    return false;
  }
  return list.check(host, family);
}

function withScheme(proxy: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
}
