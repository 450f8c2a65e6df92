import {
  EVENT_ALIAS,
  EVENT_DOCUMENT,
  EVENT_MAPPING,
  EVENT_POP,
  EVENT_SCALAR,
  EVENT_SEQUENCE,
  type Event,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE_DOUBLE_QUOTED,
  SCALAR_STYLE_LITERAL_BLOCK,
  SCALAR_STYLE_PLAIN,
  SCALAR_STYLE_SINGLE_QUOTED,
  type ScalarEvent,
  YAMLException,
} from "js-yaml";

/** YAML as it is written: every scalar is text, whatever type it would resolve to. */
export type Node = MappingNode | SequenceNode | ScalarNode;

export interface MappingNode {
  readonly kind: "mapping";
  readonly line: number;
  readonly entries: readonly (readonly [key: ScalarNode, value: Node])[];
}

export interface SequenceNode {
  readonly kind: "sequence";
  readonly line: number;
  readonly items: readonly Node[];
}

export interface ScalarNode {
  readonly kind: "scalar";
  readonly line: number;
  readonly value: string;
  /**
   * Whether the value is, letter for letter, what stands in the source up to the end of its line
   * (or in a literal block). Otherwise YAML took something of it for its own: a comment, an escape,
   * an anchor, a break of the line.
   */
  readonly verbatim: boolean;
}

/** Why a text is no YAML that can be used here. Its message quotes nothing of the text. */
export class YamlProblem extends Error {}

/**
 * Reads one YAML document. Texts of secrets are put into YAML by templates, so that a value may hold
 * anything: what YAML would change in it is marked, and nothing is quoted in errors.
 *
 * @throws {YamlProblem}
 */
export function parseYamlTree(source: string): Node | undefined {
  const cursor = { source, events: eventsOf(source), at: 0 };
  const documents = cursor.events.filter(({ type }) => type === EVENT_DOCUMENT).length;
  if (documents === 0) return undefined;
  if (documents > 1) throw new YamlProblem("it holds several documents (a line of `---`)");
  cursor.at = 1;
  return nodeAt(cursor);
}

interface Cursor {
  readonly source: string;
  readonly events: readonly Event[];
  at: number;
}

function eventsOf(source: string): readonly Event[] {
  try {
    return parseEvents(source, {});
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const line = error.mark === undefined ? "" : ` at line ${error.mark.line + 1}`;
    // Some reasons quote what they met.
    const reason = /^[a-z' :,;-]+$/i.test(error.reason) ? `: ${error.reason}` : "";
    throw new YamlProblem(`it is no valid YAML${line}${reason}`);
  }
}

function nodeAt(cursor: Cursor): Node {
  const event = cursor.events[cursor.at];
  cursor.at += 1;
  switch (event?.type) {
    case EVENT_SCALAR:
      return scalarOf(event, cursor);
    case EVENT_MAPPING:
      return mappingOf(cursor, lineOf(cursor.source, event.start));
    case EVENT_SEQUENCE:
      return sequenceOf(cursor, lineOf(cursor.source, event.start));
    case EVENT_ALIAS: {
      const line = lineOf(cursor.source, event.anchorStart);
      throw new YamlProblem(`an alias (\`*name\`) has no place here, at line ${line}`);
    }
    default:
      throw new YamlProblem("it is no valid YAML");
  }
}

function mappingOf(cursor: Cursor, line: number): MappingNode {
  const entries: (readonly [ScalarNode, Node])[] = [];
  const seen = new Set<string>();
  while (cursor.events[cursor.at]?.type !== EVENT_POP) {
    const key = nodeAt(cursor);
    if (key.kind !== "scalar") throw new YamlProblem(`a key at line ${key.line} is no text`);
    if (seen.has(key.value)) throw new YamlProblem(`a key at line ${key.line} is there twice`);
    seen.add(key.value);
    entries.push([key, nodeAt(cursor)]);
  }
  cursor.at += 1;
  return { kind: "mapping", line, entries };
}

function sequenceOf(cursor: Cursor, line: number): SequenceNode {
  const items: Node[] = [];
  while (cursor.events[cursor.at]?.type !== EVENT_POP) items.push(nodeAt(cursor));
  cursor.at += 1;
  return { kind: "sequence", line, items };
}

function scalarOf(event: ScalarEvent, { source, events, at }: Cursor): ScalarNode {
  const value = event.valueStart < 0 ? "" : getScalarValue(source, event);
  const start = event.valueStart < 0 ? startOfEmpty(events, at) : event.valueStart;
  return {
    kind: "scalar",
    line: lineOf(source, start),
    value,
    verbatim: event.valueStart < 0 ? isBare(source, start) : isVerbatim(event, source),
  };
}

/** A value that is left out stands nowhere: the key before it does. */
function startOfEmpty(events: readonly Event[], at: number): number {
  const before = events[at - 2];
  return before?.type === EVENT_SCALAR ? before.valueEnd : 0;
}

/** Whether nothing is written where a value could be, not even a comment. */
function isBare(source: string, afterKey: number): boolean {
  const [rest = ""] = source.slice(afterKey).split(/\r\n|\r|\n/, 1);
  return /^["']?\s*:?\s*$/.test(rest);
}

function isVerbatim(event: ScalarEvent, source: string): boolean {
  const { valueStart, valueEnd, anchorStart, tagStart, style } = event;
  if (anchorStart >= 0 || tagStart >= 0) return false;
  if (style === SCALAR_STYLE_LITERAL_BLOCK) return true;
  const written = source.slice(valueStart, valueEnd);
  if (written.includes("\n")) return false;
  const quoted = style === SCALAR_STYLE_SINGLE_QUOTED || style === SCALAR_STYLE_DOUBLE_QUOTED;
  if (style === SCALAR_STYLE_SINGLE_QUOTED && written.includes("''")) return false;
  if (style === SCALAR_STYLE_DOUBLE_QUOTED && written.includes("\\")) return false;
  if (!quoted && style !== SCALAR_STYLE_PLAIN) return false;
  const [rest = ""] = source.slice(valueEnd + (quoted ? 1 : 0)).split(/\r\n|\r|\n/, 1);
  return rest.trim() === "";
}

function lineOf(source: string, offset: number): number {
  return source.slice(0, Math.max(0, offset)).split("\n").length;
}
