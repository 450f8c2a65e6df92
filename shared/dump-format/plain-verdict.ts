import type { FaultList } from "./fault-list.ts";
import type { PlainFacts } from "./plain-facts.ts";
import { ROWS_OF_NONE, withoutStructure } from "./row-count.ts";
import type { OpenEnd } from "./sql-scanner.ts";
import { judgeVersions } from "./versions.ts";

interface Ending {
  readonly subject: string;
  readonly faults: FaultList;
  readonly open: OpenEnd | undefined;
  readonly lastLine: number;
}

/** Judges a plain dump once all of it has been read. */
export function judgePlain(facts: PlainFacts, ending: Ending): void {
  judgeEnd(facts, ending);
  judgeParts(facts, ending);
  judgeEncoding(facts, ending);
  judgeLineEnds(facts, ending);
  judgeTables(facts, ending);
  judgeSequences(facts, ending);
  judgeVersions({ server: facts.server, dumper: facts.dumper }, ending.subject, ending.faults);
}

const END = "-- PostgreSQL database dump complete";

/** Whether anything tells that pg_dump wrote it. */
function isOfPgDump(facts: PlainFacts): boolean {
  return facts.parts.length > 0 || facts.cluster !== "none" || facts.dumper !== undefined;
}

function judgeEnd(facts: PlainFacts, { subject, faults, open, lastLine }: Ending): void {
  if (open !== undefined) {
    faults.add({
      detector: "end-marker",
      weight: "damage",
      subject: `${subject} line ${open.line}`,
      what: `It is cut short: the file ends at line ${lastLine} inside of ${open.what}, which began at line ${open.line}.`,
    });
    return;
  }
  if (!isOfPgDump(facts)) return;
  const last = facts.parts.at(-1);
  const complete =
    facts.cluster === "none" ? last?.complete === true : facts.cluster === "complete";
  if (!complete) {
    faults.add({
      detector: "end-marker",
      weight: "damage",
      subject,
      what: `It is cut short at line ${lastLine}: the line that pg_dump ends with is not there, and psql would restore what is left without an error.`,
      expected: facts.cluster === "none" ? END : "-- PostgreSQL database cluster dump complete",
      found: `the end of the file at line ${lastLine}`,
    });
  } else if (facts.restricted !== undefined) {
    faults.add({
      detector: "end-marker",
      weight: "damage",
      subject,
      what: "It begins with \\restrict and never ends with \\unrestrict: its last lines are missing.",
      expected: `\\unrestrict ${facts.restricted}`,
    });
  }
  if (complete && facts.afterEnd !== undefined) {
    faults.add({
      detector: "structure",
      weight: "damage",
      subject: `${subject} line ${facts.afterEnd.line}`,
      what: `There are statements behind the end of the dump: ${JSON.stringify(facts.afterEnd.text)}.`,
      expected: "nothing behind the end marker",
    });
  }
}

function judgeParts(facts: PlainFacts, { subject, faults }: Ending): void {
  const { parts } = facts;
  const first = parts[0];
  if (first?.line === 0) {
    faults.add({
      detector: "structure",
      weight: "damage",
      subject,
      what: "Its beginning is missing: the end marker of pg_dump is there, the header is not.",
      expected: "-- PostgreSQL database dump",
    });
  }
  parts.forEach((part, index) => {
    const before = parts[index - 1];
    if (index === parts.length - 1 || part.complete) {
      if (before === undefined || facts.cluster !== "none") return;
      if (part.database !== undefined && part.database !== before.database) return;
      faults.add({
        detector: "structure",
        weight: "damage",
        subject: `${subject} line ${part.line}`,
        what: `Two dumps stand one behind the other: the second begins at line ${part.line}, and restoring both doubles or breaks what the first put back.`,
        expected: "one dump",
        found: `${parts.length} dumps`,
      });
      return;
    }
    faults.add({
      detector: "end-marker",
      weight: "damage",
      subject: `${subject} line ${part.line}`,
      what: `The dump of ${part.database ?? "a database"} that begins at line ${part.line} has no end marker.`,
      expected: END,
    });
  });
}

function judgeEncoding(facts: PlainFacts, { subject, faults }: Ending): void {
  const check = facts.encodingCheck;
  if (check.firstZero !== undefined) {
    faults.add({
      detector: "encoding",
      weight: "damage",
      subject: `${subject} line ${check.firstZero.line}`,
      what: `It has ${check.zeroBytes} zero bytes, which no text of PostgreSQL holds; the first is at offset ${check.firstZero.offset}.`,
    });
  }
  const encoding = (facts.encoding ?? (isOfPgDump(facts) ? "" : "UTF8")).toUpperCase();
  const utf8 = /^(UTF-?8|UNICODE)$/.test(encoding);
  if (utf8 && check.firstBad !== undefined) {
    faults.add({
      detector: "encoding",
      weight: "damage",
      subject: `${subject} line ${check.firstBad.line}`,
      what: `Its bytes at offset ${check.firstBad.offset} are no UTF-8, which it says to be.`,
      expected: "UTF-8",
      found: check.firstBad.bytes,
    });
  }
  const single = /^(LATIN|ISO|WIN|KOI8)/.test(encoding);
  if (single && check.beyondAscii && check.firstBad === undefined) {
    faults.add({
      detector: "encoding",
      weight: "doubt",
      subject,
      what: `It says that its text is ${encoding}, and everything beyond ASCII in it is UTF-8: it was converted after the dump, and restoring it would garble text.`,
      expected: encoding,
      found: "UTF-8",
    });
  }
}

function judgeLineEnds(facts: PlainFacts, { subject, faults }: Ending): void {
  if (facts.firstCarriageReturn === undefined) return;
  faults.add({
    detector: "line-ends",
    weight: "damage",
    subject: `${subject} line ${facts.firstCarriageReturn}`,
    what: `Its line ends were converted: ${facts.carriageReturns} lines of code or rows end with a carriage return, which pg_dump never writes and which ends up in the last column of rows.`,
    expected: "LF",
    found: "CR LF",
  });
}

function judgeTables(facts: PlainFacts, { subject, faults }: Ending): void {
  const tables = [...facts.tables.values()];
  const created = tables.filter((table) => table.created !== undefined && table.holdsRows);
  const withData = tables.filter((table) => table.announced !== undefined);
  if (created.length > 0 && withData.length === 0) {
    faults.add({
      detector: "structure",
      weight: "doubt",
      subject,
      what: `It has the structure of ${created.length} ${ROWS_OF_NONE}: pg_dump was run with --schema-only, or all data was cut out.`,
    });
    return;
  }
  if (isOfPgDump(facts) && withData.length > 0 && facts.made === 0) {
    const what = withoutStructure(withData.length);
    faults.add({ detector: "structure", weight: "doubt", subject, what });
  }
  const copies = facts.inserts === 0;
  for (const table of tables) {
    if (table.created !== undefined && table.holdsRows && table.announced === undefined) {
      faults.add({
        detector: "structure",
        weight: "doubt",
        subject: `table ${table.name}`,
        what: `It is created at line ${table.created} of ${subject}, and its rows are nowhere in the dump: they were excluded, or cut out.`,
        expected: "COPY or INSERT for the table",
      });
    } else if (copies && table.announced !== undefined && !table.hasData) {
      faults.add({
        detector: "structure",
        weight: "damage",
        subject: `table ${table.name}`,
        what: `Its rows are announced at line ${table.announced} of ${subject}, and there is no COPY behind it.`,
      });
    }
  }
}

function judgeSequences(facts: PlainFacts, { subject, faults }: Ending): void {
  const hasData = [...facts.tables.values()].some((table) => table.announced !== undefined);
  if (!hasData && facts.setvals.size === 0) return;
  for (const [sequence, line] of facts.sequences) {
    if (facts.setvals.has(sequence)) continue;
    faults.add({
      detector: "structure",
      weight: "doubt",
      subject: `sequence ${sequence}`,
      what: `It is created at line ${line} of ${subject}, and its value is set nowhere: after a restore it would give out numbers that are taken.`,
      expected: "SELECT pg_catalog.setval(…)",
    });
  }
}
