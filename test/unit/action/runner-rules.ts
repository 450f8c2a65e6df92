/**
 * What a runner makes of the lines that a step prints and of the file it writes outputs to,
 * written after actions/runner: ActionCommand.cs (TryParseV2, then TryParse) and
 * FileCommandManager.cs.
 */

export interface RunnerCommand {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly message: string;
}

const NAMES = new Set([
  "add-mask",
  "add-matcher",
  "add-path",
  "debug",
  "echo",
  "endgroup",
  "error",
  "group",
  "internal-set-repo-path",
  "notice",
  "remove-matcher",
  "save-state",
  "set-env",
  "set-output",
  "stop-commands",
  "warning",
]);

/** The lines as the runner's reader takes them apart. */
export function linesAsRead(printed: string): string[] {
  return printed.split(/\r\n|\r|\n/);
}

/** The command that the runner finds in a line. */
export function commandIn(line: string): RunnerCommand | undefined {
  return newStyle(line) ?? oldStyle(line);
}

// Culture-sensitive comparisons skip characters that are not seen.
const INVISIBLE = "[\\p{Default_Ignorable_Code_Point}]*";
const START = new RegExp(`^${INVISIBLE}:${INVISIBLE}:`, "u");

function newStyle(line: string): RunnerCommand | undefined {
  const trimmed = line.replace(/^[\s\u0085]+/, "");
  if (!START.test(trimmed)) return undefined;
  const end = trimmed.indexOf("::", 2);
  if (end < 0) return undefined;
  const info = trimmed.slice(2, end);
  const space = info.indexOf(" ");
  const name = space < 0 ? info : info.slice(0, space);
  if (!NAMES.has(name.toLowerCase())) return undefined;
  const given = space < 0 ? [] : info.slice(space + 1).split(",");
  const properties = given.flatMap((pair) => {
    const [, key, text] = /^([^=]*)=([\s\S]*)$/.exec(pair.trim()) ?? [];
    return key === undefined ? [] : [[key, unescaped(text ?? "", "\r\n:,")]];
  });
  const message = unescaped(trimmed.slice(end + 2), "\r\n");
  return { name, properties: Object.fromEntries(properties), message };
}

function oldStyle(line: string): RunnerCommand | undefined {
  const start = line.indexOf("##[");
  const end = start < 0 ? -1 : line.indexOf("]", start);
  if (end < 0) return undefined;
  const name = line.slice(start + 3, end).split(" ")[0] ?? "";
  if (!NAMES.has(name.toLowerCase())) return undefined;
  return { name, properties: {}, message: line.slice(end + 1) };
}

function unescaped(text: string, signs: string): string {
  let plain = text;
  for (const sign of signs) {
    const code = sign.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0");
    plain = plain.replaceAll(`%${code}`, sign);
  }
  return plain.replaceAll("%25", "%");
}

/** The outputs in a file of the runner's, or the error that it would fail the step with. */
export function outputsIn(file: string): Map<string, string> {
  const outputs = new Map<string, string>();
  const lines = file.split("\n");
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    if (line === "") continue;
    const heredoc = line.indexOf("<<");
    const equals = line.indexOf("=");
    if (heredoc >= 0 && (equals < 0 || heredoc < equals)) {
      const end = lines.indexOf(line.slice(heredoc + 2), at + 1);
      if (end < 0) throw new Error(`no end of ${line}`);
      outputs.set(line.slice(0, heredoc), lines.slice(at + 1, end).join("\n"));
      at = end;
    } else if (equals >= 0) {
      outputs.set(line.slice(0, equals), line.slice(equals + 1));
    } else {
      throw new Error(`invalid line ${line}`);
    }
  }
  return outputs;
}
