import { parseConfig } from "./parse-config.ts";

/** Words that are no secret to anybody; hiding them everywhere would only blot out the log. */
const PLAIN = /^(true|false|null|none|yes|no|on|off|\d{1,3})$/i;

/** Whether a value is worth hiding: nobody's secret is `true` or `80`. */
export function isWorthHiding(value: string): boolean {
  return !PLAIN.test(value.trim());
}

/**
 * The values within a declaration of Secrets that must be hidden before anything is printed. Where
 * it cannot be read, a value may have broken it: then everything that may be one is hidden.
 */
export function secretsInConfig(raw: string): readonly string[] {
  const parsed = parseConfig("Secret", raw);
  if ("issues" in parsed) return remainders(raw);
  const values = parsed.declarations.flatMap(({ sources, login }) => [
    ...sources.flatMap((source) => (source.from === "literal" ? [source.value] : [])),
    ...(login !== undefined && "literal" in login.password ? [login.password.literal] : []),
  ]);
  return values.filter(isWorthHiding);
}

/** What follows the first `=` or `: ` of each line, or the whole line where neither is. */
function remainders(raw: string): readonly string[] {
  return raw.split(/\r\n|\r|\n/).flatMap((line) => {
    const after = /^\s*(?:- )?["']?[\w.-]+["']?(?::\s+|=)(?<value>.+)$/.exec(line)?.groups?.value;
    const whole = /[=:]\s*[|>]?[+-]?$/.test(line) ? undefined : line.trim();
    const value = after ?? whole;
    return value === undefined || value.length < 4 || !isWorthHiding(value) ? [] : [value];
  });
}
