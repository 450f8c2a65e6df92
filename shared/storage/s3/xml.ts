/** An element of an answer of S3's: its text, and the elements in it. */
export interface Element {
  readonly name: string;
  readonly text: string;
  readonly children: readonly Element[];
}

interface Open {
  readonly name: string;
  text: string;
  readonly children: Element[];
}

const TOKEN = /<\?[^>]*\?>|<!--[\s\S]*?-->|<\/([^\s>]+)\s*>|<([^\s/>!?]+)[^>]*?(\/?)>|([^<]+)/g;
const DEEPEST = 32;

/**
 * Reads an answer of S3's: elements and text. Attributes are passed over; there is nothing in them
 * that is wanted. Undefined where the text is no XML, or is cut off.
 */
export function parseXml(text: string): Element | undefined {
  const stack: Open[] = [{ name: "", text: "", children: [] }];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    if (match.index !== end) return undefined;
    end += match[0].length;
    const [, closed, opened, empty, content] = match;
    const top = stack.at(-1);
    if (top === undefined) return undefined;
    if (content !== undefined) top.text += unescaped(content);
    if (opened !== undefined) {
      if (stack.length > DEEPEST) return undefined;
      const element = { name: opened.replace(/^.*:/, ""), text: "", children: [] };
      if (empty === "/") top.children.push(element);
      else stack.push(element);
    }
    if (closed !== undefined) {
      stack.pop();
      if (top.name !== closed.replace(/^.*:/, "")) return undefined;
      stack.at(-1)?.children.push(top);
    }
  }
  const [root] = stack;
  if (stack.length !== 1 || end !== text.length || root?.children.length !== 1) return undefined;
  return root.children[0];
}

/** The elements of a name that are right within one. */
export function allIn(element: Element | undefined, name: string): readonly Element[] {
  return element?.children.filter((child) => child.name === name) ?? [];
}

/** The text of the first element of that name; empty where there is none. */
export function textIn(element: Element | undefined, name: string): string {
  return allIn(element, name)[0]?.text ?? "";
}

const NAMED: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

function unescaped(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi, (all, hex, decimal, name) => {
    if (name !== undefined) return NAMED[name] ?? all;
    const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : all;
  });
}

/** Text as it may stand in an element. */
export function escapedXml(text: string): string {
  return text.replace(/[&<>"'\r\n\t]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
