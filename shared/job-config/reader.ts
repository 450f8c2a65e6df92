import { nearestName } from "../failure/index.ts";
import type { Issue } from "./declaration.ts";
import type { Node, ScalarNode } from "./yaml-tree.ts";

/** A place in a YAML tree; its readers note what is wrong, and quote no value. */
export class Place {
  readonly node: Node;
  readonly #path: readonly string[];
  readonly #issues: Issue[];

  constructor(node: Node, path: readonly string[], issues: Issue[]) {
    this.node = node;
    this.#path = path;
    this.#issues = issues;
  }

  /** Notes what is wrong here. */
  refuse(message: string): undefined {
    this.#issues.push({ path: this.#path, message });
    return undefined;
  }

  /** The entries of a mapping with names of the user's own. */
  entries(): readonly (readonly [string, Place])[] {
    if (this.node.kind !== "mapping") return this.refuse("it must be a mapping") ?? [];
    return this.node.entries.map(([key, value]) => [key.value, this.#inner(key.value, value)]);
  }

  /** A mapping with known keys; any other is refused with the nearest that is. */
  keys<K extends string>(known: readonly K[]): { readonly [Key in K]?: Place } {
    const given: { [Key in K]?: Place } = {};
    for (const [key, place] of this.entries()) {
      const found = known.find((name) => name === key);
      if (found !== undefined) given[found] = place;
      else this.#refuseKey(key, known);
    }
    return given;
  }

  /** A text that is not empty. */
  text(): string | undefined {
    const scalar = this.#scalar();
    if (scalar === undefined) return undefined;
    return scalar.value.trim() === "" ? this.refuse("it is empty") : scalar.value;
  }

  /** A text that may be a secret: refused where YAML would change it. May be empty. */
  verbatim(): string | undefined {
    const scalar = this.#scalar();
    if (scalar === undefined || scalar.verbatim) return scalar?.value;
    return this.refuse(
      `YAML would read something else than what is written at line ${scalar.line} ` +
        "(a comment, an escape, or more than a value on one line): take the value from a variable " +
        "(from-env, password-env), or write it on a line of its own as it is",
    );
  }

  /** Any scalar's value. */
  value(): string | undefined {
    return this.#scalar()?.value;
  }

  flag(): boolean | undefined {
    const text = this.text();
    if (text === undefined) return undefined;
    if (/^true$/i.test(text)) return true;
    if (/^false$/i.test(text)) return false;
    return this.refuse("it must be true or false");
  }

  /** The items of a list; anything else is its only item. */
  items(): readonly Place[] {
    if (this.node.kind !== "sequence") return [this];
    return this.node.items.map((item, at) => this.#inner(`item ${at + 1}`, item));
  }

  /** The texts of a list; a text alone is its only item. */
  texts(): readonly string[] {
    return this.items().flatMap((item) => item.text() ?? []);
  }

  #scalar(): ScalarNode | undefined {
    if (this.node.kind === "scalar") return this.node;
    return this.refuse("it must be a text");
  }

  #refuseKey(key: string, known: readonly string[]): void {
    const near = nearestName(key, known);
    // What stands where a key should be may be a piece of a value that broke the YAML.
    const name = /^[a-z][a-z-]{0,30}$/.test(key) ? `there is no key ${key}; ` : "an unknown key; ";
    this.refuse(
      `${name}${near === undefined ? `known are ${known.join(", ")}` : `did you mean ${near}?`}`,
    );
  }

  #inner(name: string, node: Node): Place {
    return new Place(node, [...this.#path, name], this.#issues);
  }
}
