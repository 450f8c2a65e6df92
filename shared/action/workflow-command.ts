/**
 * The commands that a step gives its runner by printing them. Written here and not taken from
 * @actions/core, which loads an HTTP client and an OIDC client with them: see docs/decisions/0006.
 */

export type CommandName = "add-mask" | "debug" | "error" | "warning" | "group" | "endgroup";

/**
 * Prints one command on a line of its own. Whatever the message and the properties hold, they
 * reach the runner as they are: what would end them is escaped.
 *
 * Source: actions/runner, ActionCommand.cs, the tables of escapes.
 */
export function issueCommand(
  name: CommandName,
  message: string,
  properties: Readonly<Record<string, string>> = {},
): void {
  const pairs = Object.entries(properties).map(([key, text]) => `${key}=${escapeProperty(text)}`);
  printLine(`::${[name, pairs.join(",")].join(" ").trimEnd()}::${escapeMessage(message)}`);
}

/** Prints a line as it is; text from elsewhere must have gone through `unmarked`. */
export function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

function escapeMessage(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeMessage(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
