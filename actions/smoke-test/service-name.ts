import { FormatError } from "../../shared/failure/index.ts";

/** A Service as the input names it. */
export interface ServiceName {
  readonly namespace: string | undefined;
  readonly name: string;
  /** Number or name of the port. */
  readonly port: string | undefined;
}

// Names of Services and ports are DNS labels: RFC 1035 and RFC 6335.
const FORM =
  /^(?:(?<namespace>[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)\/)?(?<name>[a-z](?:[-a-z0-9]*[a-z0-9])?)(?::(?<port>[a-z0-9](?:[-a-z0-9]*[a-z0-9])?))?$/;
/** As kubectl writes it; no namespace is called so by anybody who wants to be understood. */
const KIND = /^(svc|services?)\//;

/**
 * Reads `name`, `name:port` or `namespace/name:port`; `svc/name:port` is read as kubectl does.
 *
 * @throws {FormatError}
 */
export function readService(text: string): ServiceName {
  const groups = FORM.exec(text.replace(KIND, ""))?.groups;
  if (groups?.name === undefined) {
    const hint = text.includes("://") ? "; a URL belongs into the input url" : "";
    throw new FormatError(`it has another form${hint}`);
  }
  return { namespace: groups.namespace, name: groups.name, port: groups.port };
}
