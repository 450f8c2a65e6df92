import { FormatError, nearestName } from "../../shared/failure/index.ts";
import type { Kind } from "../../shared/probe/index.ts";
import type { Address, IngressName } from "./check-spec.ts";

/** The schemes of URLs, with the type of check that they go with, and whether TLS is spoken. */
export const SCHEMES: Readonly<
  Record<string, { readonly type: Kind; readonly tls: boolean; readonly port?: number }>
> = {
  "http:": { type: "http", tls: false, port: 80 },
  "https:": { type: "http", tls: true, port: 443 },
  "tcp:": { type: "tcp", tls: false },
  "tls:": { type: "tcp", tls: true },
  "grpc:": { type: "grpc", tls: false },
  "grpcs:": { type: "grpc", tls: true, port: 443 },
};

/**
 * Reads the URL of a check of some type.
 *
 * @throws {FormatError}
 */
export function readUrl(raw: string, type: Kind): URL {
  const url = URL.parse(raw);
  const schemes = Object.entries(SCHEMES).filter(([, scheme]) => scheme.type === type);
  if (url === null || !schemes.some(([name]) => name === url.protocol)) {
    const known = schemes.map(([name]) => `${name}//`).join(" or ");
    const near = nearestName(url?.protocol ?? "", Object.keys(SCHEMES));
    const hint =
      near === undefined || schemes.some(([name]) => name === near)
        ? ""
        : `; ${near}// is for another type of check`;
    throw new FormatError(`it is no URL that starts with ${known}${hint}`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new FormatError("it holds credentials; send them by the input headers");
  }
  if (url.search !== "" || url.hash !== "") {
    throw new FormatError("it has a query or a fragment; a query belongs to the path of a check");
  }
  if (type !== "http" && !/^\/?$/.test(url.pathname)) {
    throw new FormatError("it has a path, which only HTTP knows");
  }
  if (portOf(url) === undefined) throw new FormatError("it names no port");
  return url;
}

/** The port that a URL names, or that of its scheme. */
export function portOf({ port, protocol }: URL): number | undefined {
  return port === "" ? SCHEMES[protocol]?.port : Number(port);
}

/** The host of a URL, without the brackets of IPv6. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}

/**
 * Reads `host:port`.
 *
 * @throws {FormatError}
 */
export function readServer(raw: string): Address {
  const url = URL.parse(`tcp://${raw}`);
  if (url === null || url.port === "" || url.hostname === "" || !/^\/?$/.test(url.pathname)) {
    throw new FormatError("it has another form than host:port");
  }
  return { host: hostOf(url), port: Number(url.port) };
}

const INGRESS =
  /^(?:(?<namespace>[a-z0-9-]+)\/)?(?<name>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?: (?:host )?(?<host>\S+))?$/;

/**
 * Reads `name`, `namespace/name`, each with a host after a blank where it has several.
 *
 * @throws {FormatError}
 */
export function readIngress(raw: string): IngressName {
  const groups = INGRESS.exec(raw.trim())?.groups;
  if (groups?.name === undefined) throw new FormatError("it has another form than shop/web");
  return { namespace: groups.namespace, name: groups.name, host: groups.host };
}
