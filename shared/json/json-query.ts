import { FormatError } from "../failure/index.ts";

/** One step of a query, from a value to some of the values in it. */
export type JsonStep =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "index"; readonly index: number }
  | { readonly kind: "all" }
  | { readonly kind: "filter"; readonly filter: JsonFilter };

/** `@.type=="Ready"`; without a comparison, whether there is such a value. */
export interface JsonFilter {
  readonly path: readonly JsonStep[];
  readonly operator?: Operator;
  readonly value?: string | number | boolean | null;
}

type Operator = "==" | "!=" | "<" | "<=" | ">" | ">=";

/** A query for any number of values. */
export type JsonQuery = readonly JsonStep[];

/**
 * Reads a JSONPath as kubectl writes it, for one expression: `{.status.phase}`, also without the
 * braces, the first dot, or with `$`; names with `\.` for a dot in them; `['name']`, `[0]`, `[-1]`,
 * `[*]` and filters such as `[?(@.type=="Ready")].status`.
 *
 * This dialect is older than RFC 9535 and differs from it.
 * Source: k8s.io/client-go, util/jsonpath/parser.go; k8s.io/kubectl, pkg/cmd/get/customcolumn.go.
 *
 * @throws {FormatError} saying at which character the text leaves the form.
 */
export function parseJsonQuery(text: string): JsonQuery {
  const inner = /^\{(?<inner>[^{}]*)\}$/.exec(text)?.groups?.inner;
  if (inner === undefined && /[{}]/.test(text)) {
    throw new FormatError(
      "one expression in one pair of braces is understood, as in {.status.phase}",
    );
  }
  const reader = new QueryReader(inner ?? text, inner === undefined ? 0 : 1);
  reader.take(/\$/y);
  const steps = reader.steps("relaxed");
  reader.end();
  if (steps.length === 0) throw new FormatError("it names no field, as {.status.phase} does");
  return steps;
}

/** All values that a query leads to, in their order. */
export function selectAll(query: JsonQuery, root: unknown): readonly unknown[] {
  return query.reduce<readonly unknown[]>(
    (values, step) => values.flatMap((value) => stepInto(value, step)),
    [root],
  );
}

function stepInto(value: unknown, step: JsonStep): readonly unknown[] {
  if (typeof value !== "object" || value === null) return [];
  switch (step.kind) {
    case "name":
      return !Array.isArray(value) && Object.hasOwn(value, step.name)
        ? [(value as Readonly<Record<string, unknown>>)[step.name]]
        : [];
    case "index": {
      if (!Array.isArray(value)) return [];
      const index = step.index < 0 ? value.length + step.index : step.index;
      return index >= 0 && index < value.length ? [value[index]] : [];
    }
    case "all":
      return Object.values(value);
    case "filter":
      return Object.values(value).filter((item) => passes(item, step.filter));
  }
}

function passes(item: unknown, { path, operator, value }: JsonFilter): boolean {
  const found = selectAll(path, item);
  if (operator === undefined) return found.length > 0;
  return found.some((one) => compares(one, operator, value));
}

function compares(left: unknown, operator: Operator, right: JsonFilter["value"]): boolean {
  if (operator === "==") return left === right;
  if (operator === "!=") return left !== right;
  if (typeof left !== typeof right || (typeof left !== "number" && typeof left !== "string")) {
    return false;
  }
  const [a, b] = [left, right as typeof left];
  if (operator === "<") return a < b;
  if (operator === "<=") return a <= b;
  return operator === ">" ? a > b : a >= b;
}

/** Names end at what has a meaning; a backslash takes that meaning away. */
const NAME = /(?:[^\\.[\]{}()\s'"=!<>@$*,|&?]|\\.)+/y;
const QUOTED = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/sy;
const INDEX = /-?\d+/y;
const OPERATOR = /==|!=|<=|>=|<|>/y;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;

class QueryReader {
  readonly #text: string;
  readonly #offset: number;
  #at = 0;

  constructor(text: string, offset: number) {
    this.#text = text;
    this.#offset = offset;
  }

  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const taken = pattern.exec(this.#text)?.[0];
    this.#at += taken?.length ?? 0;
    return taken;
  }

  /** With `relaxed`, the first name needs no dot. */
  steps(start: "relaxed" | "strict"): JsonStep[] {
    const steps: JsonStep[] = [];
    const bare = start === "relaxed" ? this.take(NAME) : undefined;
    if (bare !== undefined) steps.push({ kind: "name", name: unescaped(bare) });
    for (;;) {
      const step = this.#step();
      if (step === undefined) return steps;
      steps.push(step);
    }
  }

  end(): void {
    if (this.#at < this.#text.length) throw this.#unexpected(". or [");
  }

  #step(): JsonStep | undefined {
    if (this.take(/\.(?=\.)/y) !== undefined)
      throw this.#unexpected("a name: .. is not understood");
    if (this.take(/\./y) !== undefined) {
      if (this.take(/\*/y) !== undefined) return { kind: "all" };
      const name = this.take(NAME);
      if (name === undefined) throw this.#unexpected("a name");
      return { kind: "name", name: unescaped(name) };
    }
    return this.take(/\[\s*/y) === undefined ? undefined : this.#bracketed();
  }

  #bracketed(): JsonStep {
    const step = this.#inBrackets();
    if (this.take(/\s*\]/y) === undefined) throw this.#unexpected("]");
    return step;
  }

  #inBrackets(): JsonStep {
    if (this.take(/\*/y) !== undefined) return { kind: "all" };
    const quoted = this.take(QUOTED);
    if (quoted !== undefined) return { kind: "name", name: unescaped(quoted.slice(1, -1)) };
    if (this.take(/\?\s*\(/y) !== undefined) {
      const filter = this.#filter();
      if (this.take(/\s*\)/y) === undefined) throw this.#unexpected(")");
      return { kind: "filter", filter };
    }
    const index = this.take(INDEX);
    if (index === undefined) throw this.#unexpected("a quoted name, an index, * or ?(...)");
    return { kind: "index", index: Number(index) };
  }

  #filter(): JsonFilter {
    if (this.take(/\s*@/y) === undefined) throw this.#unexpected("@");
    const path = this.steps("strict");
    this.take(/\s*/y);
    const operator = this.take(OPERATOR) as Operator | undefined;
    return operator === undefined ? { path } : { path, operator, value: this.#literal() };
  }

  #literal(): string | number | boolean | null {
    this.take(/\s*/y);
    const quoted = this.take(QUOTED);
    if (quoted !== undefined) return unescaped(quoted.slice(1, -1));
    const number = this.take(NUMBER);
    if (number !== undefined) return Number(number);
    const word = this.take(WORD);
    if (word === undefined) throw this.#unexpected("a quoted text, a number, true, false or null");
    return word === "null" ? null : word === "true";
  }

  #unexpected(wanted: string): FormatError {
    const character = this.#text[this.#at];
    const got = character === undefined ? "the end" : JSON.stringify(character);
    const place = this.#at + this.#offset + 1;
    return new FormatError(`at character ${place} there is ${got} instead of ${wanted}`);
  }
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, "$1");
}
