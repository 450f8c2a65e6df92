import { constructFromEvents, EVENT_ID, parseEvents, YAMLException } from "js-yaml";
import { describe, UserError } from "../failure/index.ts";
import { unaliased } from "./aliases.ts";
import { KUBERNETES_SCHEMA } from "./yaml.ts";

/** Text that holds manifests, and where it came from. */
export interface ManifestText {
  /** As people find it: a path, an address, `the input content`. */
  readonly name: string;
  readonly text: string;
  /** The file of the workspace, where it is one: annotations point there. */
  readonly file?: string | undefined;
}

/** One document of a text, not yet known to be an object. */
export interface ManifestDocument {
  readonly value: unknown;
  readonly source: ManifestText;
  /** Counted from 1; documents that are empty count too, as in an editor. */
  readonly number: number;
  /** The line on which it begins, counted from 1. */
  readonly line: number;
}

/** A line of hyphens ends a document wherever it stands: no other text may begin a line so. */
const SEPARATOR = /^---(?=[ \t\r\n]|$)/gm;

/**
 * Reads all documents of a text, YAML or JSON, leaving empty ones out. They are read one by one,
 * so that a large text needs little memory.
 *
 * @throws {UserError} with file, document and line where the text cannot be read.
 */
export function readDocuments(source: ManifestText): readonly ManifestDocument[] {
  const text = source.text.replace(/^\uFEFF/, "");
  const json = jsonOf(text);
  if (json !== undefined) return [{ value: json.value, source, number: 1, line: 1 }];
  const documents: ManifestDocument[] = [];
  let number = 0;
  let line = 1;
  for (const part of partsOf(text)) {
    const read = readPart(part, { source, number: number + 1, line });
    number += read.count;
    documents.push(...read.documents);
    line += part.split("\n").length - 1;
  }
  return documents;
}

interface Position {
  readonly source: ManifestText;
  readonly number: number;
  readonly line: number;
}

/** A JSON text is read as such: it may be indented by tabs, which YAML does not allow. */
function jsonOf(text: string): { readonly value: unknown } | undefined {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    return { value: JSON.parse(text) };
  } catch {
    // YAML may begin so too.
    return undefined;
  }
}

function* partsOf(text: string): Generator<string> {
  let from = 0;
  for (const { index } of text.matchAll(SEPARATOR)) {
    if (index > from) yield text.slice(from, index);
    from = index;
  }
  yield text.slice(from);
}

function readPart(
  part: string,
  position: Position,
): { readonly count: number; readonly documents: readonly ManifestDocument[] } {
  // Nothing but comments and directives, as before the first separator.
  if (/^(\s*(#.*|%.*)?(\r?\n|$))*$/.test(part)) return { count: 0, documents: [] };
  try {
    const events = parseEvents(part, {});
    const values = constructFromEvents(events, { source: part, schema: KUBERNETES_SCHEMA });
    const aliased = events.some(({ type }) => type === EVENT_ID.ALIAS);
    const lines = linesOf(events, part);
    const documents = values.flatMap((value, index) =>
      value === null || value === undefined
        ? []
        : [
            {
              value: aliased ? unaliased(value) : value,
              source: position.source,
              number: position.number + index,
              line: position.line + (lines[index] ?? 0),
            },
          ],
    );
    return { count: values.length, documents };
  } catch (error) {
    throw unreadable(error, part, position);
  }
}

/** For each document, the line of its first node within the part, counted from 0. */
function linesOf(events: ReturnType<typeof parseEvents>, part: string): readonly number[] {
  const lines: number[] = [];
  events.forEach((event, index) => {
    if (event.type !== EVENT_ID.DOCUMENT) return;
    const first = events[index + 1];
    const at =
      first?.type === EVENT_ID.MAPPING || first?.type === EVENT_ID.SEQUENCE
        ? first.start
        : first?.type === EVENT_ID.SCALAR
          ? first.valueStart
          : 0;
    lines.push(part.slice(0, Math.max(0, at)).split("\n").length - 1);
  });
  return lines;
}

function unreadable(error: unknown, part: string, { source, number, line }: Position): UserError {
  const mark = error instanceof YAMLException ? error.mark : undefined;
  const at = line + (mark?.line ?? 0);
  const reason = error instanceof YAMLException ? error.reason : describe(error);
  const words = part.split("\n")[mark?.line ?? 0] ?? "";
  const template = /\{\{/.test(words) || /\{\{-? /.test(part);
  return new UserError(
    {
      title: "A manifest cannot be read",
      cause: `${source.name}, document ${number}, line ${at}: ${reason}.`,
      remedy: template
        ? "It looks like a template of Helm: render it first, or deploy it with helm-upgrade. Nothing was changed."
        : "Correct the YAML; nothing was changed.",
      ...(source.file === undefined ? {} : { at: { file: source.file, line: at } }),
    },
    { reason: error },
  );
}
