import { FormatError, nearestName } from "../failure/index.ts";

/** What an expression is given beside its name: `{{date 'YYYYMMDD' tz='Asia/Tokyo'}}`. */
interface Arguments {
  readonly format: string | undefined;
  readonly zone: string | undefined;
}

/** What stands for the names that a template may use. */
export type Expressions = Readonly<Record<string, (given: Arguments) => string>>;

const QUOTED = `(?:'[^']*'|"[^"]*")`;
const EXPRESSION = new RegExp(
  String.raw`^([A-Za-z_]\w*)(?:\s+(${QUOTED}))?(?:\s+tz\s*=\s*(${QUOTED}))?$`,
);
const LITERAL = new RegExp(`^${QUOTED}$`);
/** Those that are given a format. */
const DATES = ["date", "commit_date"];

/**
 * Fills in the expressions between `{{` and `}}`.
 *
 * @throws {FormatError} for one that is not known or not closed.
 */
export function render(template: string, expressions: Expressions): string {
  const filled = template.replace(/\{\{(.*?)\}\}/g, (whole, inner: string) => {
    return evaluate(whole, inner.trim(), expressions);
  });
  const rest = template.replace(/\{\{.*?\}\}/g, "");
  if (rest.includes("{{")) {
    throw new FormatError(`an expression is not closed in ${JSON.stringify(template)}`);
  }
  return filled;
}

/** A text that `render` gives back as it is, whatever is in it. */
export function asLiteral(text: string): string {
  return text.replaceAll("{{", "{{'{{'}}");
}

/** Whether a text has expressions of any of these names, or of any name at all. */
export function uses(template: string, names?: readonly string[]): boolean {
  const used = [...template.matchAll(/\{\{\s*(\w+)/g)].map(([, name = ""]) => name);
  return names === undefined ? used.length > 0 : used.some((name) => names.includes(name));
}

function evaluate(whole: string, inner: string, expressions: Expressions): string {
  if (LITERAL.test(inner)) return inner.slice(1, -1);
  const match = EXPRESSION.exec(inner);
  const known = Object.keys(expressions);
  if (match === null) {
    throw new FormatError(`${whole} cannot be read; expressions are ${listed(known)}`);
  }
  const [, name = "", format, zone] = match;
  const expression = Object.hasOwn(expressions, name) ? expressions[name] : undefined;
  if (expression === undefined) {
    const near = nearestName(name, known);
    const hint = near === undefined ? `known are ${listed(known)}` : `did you mean {{${near}}}?`;
    throw new FormatError(`there is no expression ${whole}; ${hint}`);
  }
  if (DATES.includes(name)) {
    if (format === undefined) throw new FormatError(`write {{${name} 'YYYYMMDD'}} with its format`);
  } else if (format !== undefined || zone !== undefined) {
    throw new FormatError(`{{${name}}} takes nothing beside its name`);
  }
  return expression({ format: unquoted(format), zone: unquoted(zone) });
}

function unquoted(text: string | undefined): string | undefined {
  return text?.slice(1, -1);
}

function listed(names: readonly string[]): string {
  return names
    .map((name) => (DATES.includes(name) ? `{{${name} 'FORMAT'}}` : `{{${name}}}`))
    .join(", ");
}
