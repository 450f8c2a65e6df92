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

/**
 * Reads `name`, `name:port` or `namespace/name:port`.
 *
 * @throws {FormatError}
 */
export function readService(text: string): ServiceName {
  const groups = FORM.exec(text)?.groups;
  if (groups?.name === undefined) {
    const hint = text.includes("://") ? "; a URL belongs into the input url" : "";
    throw new FormatError(`it has another form${hint}`);
  }
  return { namespace: groups.namespace, name: groups.name, port: groups.port };
}
