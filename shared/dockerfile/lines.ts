/** One instruction of a Dockerfile, with its continuation lines joined. */
export interface Line {
  /** In capital letters: `FROM`. */
  readonly keyword: string;
  /** `--from=base` without the dashes, unquoted: `["from", "base"]`; a flag without value has "". */
  readonly flags: readonly (readonly [name: string, value: string])[];
  /** All behind the flags. */
  readonly rest: string;
  /** Where it begins; counted from 1. */
  readonly line: number;
}

export interface Lines {
  readonly lines: readonly Line[];
  /** Of the directives at the top: `escape`, `syntax`, `check`. */
  readonly escape: "\\" | "`";
  /** The name of the image whose program reads the file, with what stands behind it. */
  readonly syntax: string | undefined;
  /** A heredoc that is never closed: its name, and the line where it begins. */
  readonly open: { readonly name: string; readonly line: number } | undefined;
}

/**
 * Takes a Dockerfile apart into instructions. Comments, empty lines and the bodies of heredocs are
 * left out.
 *
 * Source: BuildKit, frontend/dockerfile/parser (parser.go, directives.go, split_command.go).
 */
export function linesOf(text: string): Lines {
  const physical = text.replace(/^\uFEFF/, "").split("\n");
  const directives = directivesOf(physical);
  const sign = directives.get("escape") === "`" ? "`" : "\\";
  const quoted = sign === "`" ? "`" : "\\\\";
  const continues = new RegExp(`(^|[^${quoted}])${quoted}[ \\t]*$`);
  const lines: Line[] = [];
  for (let at = 0; at < physical.length; ) {
    const start = at;
    let joined = "";
    for (let isDone = false; !isDone && at < physical.length; at += 1) {
      const raw = (physical[at] ?? "").replace(/\r$/, "");
      const piece = at === start ? raw.trimStart() : raw;
      if (piece.trimStart().startsWith("#") || (at > start && piece.trim() === "")) {
        // Comments and empty lines do not end an instruction; alone they are nothing.
        isDone = at === start;
        continue;
      }
      isDone = !continues.test(piece);
      joined += isDone ? piece : piece.replace(continues, "$1");
    }
    if (joined.trim() === "") continue;
    const line = lineOf(joined, start + 1, sign);
    lines.push(line);
    for (const { name, chomp } of heredocsOf(line, joined)) {
      const end = endOfHeredoc(physical, at, name, chomp);
      if (end === undefined)
        return { lines, escape: sign, syntax: syntaxOf(text), open: { name, line: start + 1 } };
      at = end;
    }
  }
  return { lines, escape: sign, syntax: syntaxOf(text), open: undefined };
}

function directivesOf(physical: readonly string[]): ReadonlyMap<string, string> {
  return directivesBehind("#", physical);
}

/** Directives stand in comments before everything else; the first other line ends them. */
function directivesBehind(sign: string, physical: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of physical) {
    if (!line.startsWith(sign)) break;
    const match = /^([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/.exec(line.slice(sign.length).trim());
    const name = match?.[1]?.toLowerCase() ?? "";
    if (!["syntax", "escape", "check"].includes(name)) break;
    if (!found.has(name)) found.set(name, match?.[2] ?? "");
  }
  return found;
}

/** Also `// syntax=` and JSON with a `syntax`, for files that are no Dockerfiles at all. */
function syntaxOf(text: string): string | undefined {
  const plain = text.replace(/^\uFEFF/, "").replace(/^#![^\n]*\n?/, "");
  const physical = plain.split("\n");
  const named =
    directivesBehind("#", physical).get("syntax") ?? directivesBehind("//", physical).get("syntax");
  if (named !== undefined || !plain.trimStart().startsWith("{")) return named;
  try {
    const { syntax } = JSON.parse(plain);
    return typeof syntax === "string" ? syntax : undefined;
  } catch {
    return undefined;
  }
}

function lineOf(joined: string, line: number, sign: string): Line {
  const [, word = "", behind = ""] = /^(\S+)\s*([\s\S]*)$/.exec(joined.trim()) ?? [];
  const { flags, rest } = flagsOf(behind, sign);
  return { keyword: word.toUpperCase(), flags, rest: rest.trim(), line };
}

/** The words with two dashes in front; quotes and escapes in them are taken away. */
export function flagsOf(text: string, sign: string): Pick<Line, "flags" | "rest"> {
  const flags: (readonly [string, string])[] = [];
  let at = 0;
  for (;;) {
    while (/\s/.test(text[at] ?? "")) at += 1;
    if (!text.startsWith("--", at)) return { flags, rest: text.slice(at) };
    let word = "";
    let quote: string | undefined;
    for (; at < text.length && (quote !== undefined || !/\s/.test(text[at] ?? "")); at += 1) {
      const character = text[at] ?? "";
      if (character === quote) quote = undefined;
      else if (quote === undefined && (character === "'" || character === '"')) quote = character;
      else if (character === sign) {
        at += 1;
        word += text[at] ?? "";
      } else word += character;
    }
    if (word === "--") return { flags, rest: text.slice(at) };
    const [name = "", ...value] = word.slice(2).split("=");
    flags.push([name, value.join("=")]);
  }
}

const WITH_HEREDOCS = ["ADD", "COPY", "RUN"];

/** The heredocs that an instruction opens, in their order. */
function heredocsOf(
  { keyword, rest }: Line,
  joined: string,
): readonly { name: string; chomp: boolean }[] {
  const takesThem =
    WITH_HEREDOCS.includes(keyword) || (keyword === "ONBUILD" && takesHeredoc(rest));
  if (!takesThem || !joined.includes("<<")) return [];
  return wordsWithQuotes(joined).flatMap((word) => {
    const match = /^\d*<<(-?)\s*([^<]*)$/.exec(word);
    const name = (match?.[2] ?? "").replace(/\\(.)|['"]/g, "$1");
    return name === "" ? [] : [{ name, chomp: match?.[1] === "-" }];
  });
}

function takesHeredoc(rest: string): boolean {
  return WITH_HEREDOCS.includes((/^\S+/.exec(rest)?.[0] ?? "").toUpperCase());
}

/** Words of a shell, with their quotes; `<< EOF` is one word. */
function wordsWithQuotes(text: string): readonly string[] {
  const glued = text.replace(/<<(-?)[ \t]+(?=\S)/g, "<<$1");
  return glued.match(/(?:'[^']*'|"(?:\\[\s\S]|[^"\\])*"|\\[\s\S]|[^\s'"\\]|['"\\])+/g) ?? [];
}

function endOfHeredoc(
  physical: readonly string[],
  from: number,
  name: string,
  chomp: boolean,
): number | undefined {
  for (let at = from; at < physical.length; at += 1) {
    const line = (physical[at] ?? "").replace(/\r+$/, "");
    if ((chomp ? line.replace(/^\t+/, "") : line) === name) return at + 1;
  }
  return undefined;
}
