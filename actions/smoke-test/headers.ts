import { type Field, type Part, Rejection, text } from "../../shared/action/index.ts";
import { FormatError } from "../../shared/failure/index.ts";

export type Headers = Readonly<Record<string, string>>;

/** Set by the client from the request itself. */
const RESERVED =
  /^(connection|content-length|transfer-encoding|upgrade|expect|keep-alive|te|trailer|accept-encoding)$/;

/** Headers whose values are no secrets. The value of any other header is hidden. */
const HARMLESS =
  /^(accept|accept-language|cache-control|content-type|host|if-(none-)?match|origin|pragma|range|referer|traceparent|user-agent|x-forwarded-(for|host|port|proto)|x-request-id|x-correlation-id)$/;

/**
 * Holds a header to RFC 9110, sections 5.1 and 5.5: a token, and a value without control
 * characters. Returns its name in lower case.
 *
 * @throws {FormatError}
 */
export function headerName(name: string, value: string): string {
  const lower = name.toLowerCase();
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(lower)) {
    throw new FormatError(`${JSON.stringify(name)} is no header name`);
  }
  if (RESERVED.test(lower)) throw new FormatError(`${name} is set by the client itself`);
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
    throw new FormatError(`the value of ${name} has characters that no header may have`);
  }
  return lower;
}

/** A mapping of header names to values, the names in lower case. */
export function readHeaders(mapping: Part): Headers {
  const entries = mapping.entries().flatMap(([name, part]) => {
    const value = part.scalar();
    const lower = value === undefined ? undefined : part.as(() => headerName(name, value));
    return lower === undefined || value === undefined ? [] : [[lower, value] as const];
  });
  return Object.fromEntries(entries);
}

/** The input `headers`: lines of the form `Name: value`. */
export const headersField: Field<Headers | undefined> = {
  ...text({}),
  accepts: "lines of the form Name: value",
  secretsIn: (raw) => lines(raw).flatMap((line) => secretsOfHeader(...halves(line))),
  parse(raw) {
    const headers: Record<string, string> = {};
    for (const line of lines(raw)) {
      const [name, value] = halves(line);
      // The line itself may be a secret that was given without its name.
      if (name === "") throw new Rejection("a line has no name before a colon");
      headers[headerName(name, value)] = value;
    }
    return headers;
  },
};

function lines(raw: string): string[] {
  return raw.split(/\r\n|\r|\n/).filter((line) => line.trim() !== "");
}

/** Name and value; a line without a colon is all value. */
function halves(line: string): [string, string] {
  const at = line.indexOf(":");
  return [line.slice(0, Math.max(0, at)).trim(), line.slice(at + 1).trim()];
}

/**
 * What must be hidden of a header: its value, and of `Authorization: Basic ...` or `Bearer ...`
 * the credentials alone too, for a server may echo them without the scheme.
 */
export function secretsOfHeader(name: string, value: string): readonly string[] {
  if (HARMLESS.test(name.toLowerCase())) return [];
  const [, scheme, credentials] = /^([A-Za-z-]+) +(\S+)$/.exec(value) ?? [];
  if (credentials === undefined) return [value];
  if (scheme?.toLowerCase() !== "basic") return [value, credentials];
  const [, password = ""] =
    /^[^:]*:(.*)$/s.exec(Buffer.from(credentials, "base64").toString()) ?? [];
  return [value, credentials, password].filter((secret) => secret !== "");
}
