import { TestbedError } from "./configuration.ts";

/** What ordering needs to know of a piece. */
export interface Ordered {
  readonly name: string;
  readonly needs: readonly string[];
}

/**
 * The pieces that the wanted names ask for, with all that they need, each after what it needs.
 * A wanted name is a piece's or a group's; no names means every piece.
 */
export function select<P extends Ordered>(
  pieces: readonly P[],
  groups: Readonly<Record<string, readonly string[]>>,
  wanted: readonly string[],
): P[] {
  const byName = new Map(pieces.map((piece) => [piece.name, piece]));
  const ordered: P[] = [];
  const path: string[] = [];

  const visit = (name: string) => {
    const piece = byName.get(name);
    if (!piece) throw unknown(name, [...Object.keys(groups), ...byName.keys()]);
    if (ordered.includes(piece)) return;
    if (path.includes(name)) {
      throw new Error(`these pieces need each other in a circle: ${[...path, name].join(" -> ")}`);
    }
    path.push(name);
    for (const need of piece.needs) visit(need);
    path.pop();
    ordered.push(piece);
  };

  const names = wanted.length > 0 ? wanted : pieces.map((piece) => piece.name);
  for (const name of names) for (const member of groups[name] ?? [name]) visit(member);
  return ordered;
}

/** The names of all pieces that need one of the given ones, at once or through others. */
export function dependents(pieces: readonly Ordered[], names: Iterable<string>): Set<string> {
  const found = new Set(names);
  const given = new Set(found);
  let before: number;
  do {
    before = found.size;
    for (const piece of pieces) {
      if (piece.needs.some((need) => found.has(need))) found.add(piece.name);
    }
  } while (found.size > before);
  for (const name of given) found.delete(name);
  return found;
}

function unknown(name: string, known: readonly string[]): TestbedError {
  return new TestbedError(
    `The test bed has no "${name}". It has: ${[...new Set(known)].sort().join(", ")}.`,
  );
}
