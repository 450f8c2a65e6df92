import { FormatError } from "../../shared/failure/index.ts";
import { parseRange, type Range } from "../../shared/version/index.ts";

/** A tool as the user asks for it, by whichever of its names. */
export interface Request {
  readonly name: string;
  readonly range: Range;
}

/**
 * Reads `kubectl 1.36`, `helm@^4.2`, `crane=0.22.1` or `trivy`, one a line or separated by commas.
 *
 * @throws {FormatError} when a line is none of these, or a tool is named twice.
 */
export function readRequests(raw: string): readonly Request[] {
  const words = raw
    .split(/[\r\n,]+/)
    .map((word) => word.replace(/(^|\s)#.*$/, "").trim())
    .filter((word) => word !== "");
  if (words.length === 0) throw new FormatError("it names no tool");
  const requests = words.map(readRequest);
  const names = requests.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw new FormatError(`${twice} is named twice`);
  return requests;
}

function readRequest(word: string): Request {
  const [, name, range = ""] = /^([a-z][a-z0-9_-]*)\s*[@=:]?\s*(.*)$/i.exec(word) ?? [];
  if (name === undefined) throw new FormatError(`${JSON.stringify(word)} names no tool`);
  return { name: name.toLowerCase(), range: parseRange(range) };
}
