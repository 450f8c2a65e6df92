/** The comment that pg_dump puts in front of each entry of a plain dump. */
export interface EntryHeader {
  readonly name: string;
  /** `TABLE`, `TABLE DATA`, `FK CONSTRAINT`. */
  readonly kind: string;
  /** Empty where it has none. */
  readonly schema: string;
}

const HEADER = /^-- (?:Data for )?Name: (.*?); Type: ([A-Z _]+?); Schema: (.*?); Owner: ?.*$/;

export function entryHeaderOf(comment: string): EntryHeader | undefined {
  const found = HEADER.exec(comment);
  if (found === null) return undefined;
  const [, name = "", kind = "", schema = ""] = found;
  return { name, kind, schema: schema === "-" ? "" : schema };
}

/** Kinds that come behind all data, always. */
const POST_DATA = new Set(["INDEX", "CONSTRAINT", "FK CONSTRAINT", "TRIGGER"]);
const DATA = new Set(["TABLE DATA", "SEQUENCE SET", "BLOBS", "BLOB DATA"]);
/** Kinds that always come with a statement of their own. */
const WITH_STATEMENT = new Set([
  ...POST_DATA,
  "TABLE",
  "VIEW",
  "SEQUENCE",
  "SEQUENCE SET",
  "FUNCTION",
  "PROCEDURE",
  "TYPE",
  "DOMAIN",
  "DEFAULT",
  "MATERIALIZED VIEW",
]);

export function isPostData(kind: string): boolean {
  return POST_DATA.has(kind);
}

export function isData(kind: string): boolean {
  return DATA.has(kind);
}

/** Whether a header of this kind is always followed by a statement. */
export function leadsToStatement(kind: string): boolean {
  return WITH_STATEMENT.has(kind);
}
