/** A line of a text and what becomes of it. */
export interface LineChange {
  readonly sign: " " | "-" | "+";
  readonly text: string;
}

const CONTEXT = 2;
/** Beyond this many pairs of lines, the shortest way is not looked for. */
const MOST_PAIRS = 1_000_000;

/**
 * The lines that differ between two texts, with two lines around them; where lines are left out
 * between, one says how many.
 */
export function lineChanges(before: readonly string[], after: readonly string[]) {
  return shortened(aligned(before, after));
}

function aligned(before: readonly string[], after: readonly string[]): readonly LineChange[] {
  let head = 0;
  while (head < Math.min(before.length, after.length) && before[head] === after[head]) head += 1;
  let tail = 0;
  const most = Math.min(before.length, after.length) - head;
  while (tail < most && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const middle = [before.slice(head, before.length - tail), after.slice(head, after.length - tail)];
  return [
    ...kept(before.slice(0, head)),
    ...between(middle[0] ?? [], middle[1] ?? []),
    ...kept(before.slice(before.length - tail)),
  ];
}

function kept(lines: readonly string[]): LineChange[] {
  return lines.map((text) => ({ sign: " ", text }));
}

/** By the longest common subsequence. */
function between(before: readonly string[], after: readonly string[]): readonly LineChange[] {
  if (before.length * after.length > MOST_PAIRS) return replaced(before, after);
  const width = after.length + 1;
  // How long the longest common subsequence of what follows each pair of places is.
  const lengths = new Uint32Array((before.length + 1) * width);
  const at = (row: number, column: number) => lengths[row * width + column] ?? 0;
  for (let row = before.length - 1; row >= 0; row -= 1) {
    for (let column = after.length - 1; column >= 0; column -= 1) {
      lengths[row * width + column] =
        before[row] === after[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const changes: LineChange[] = [];
  let [row, column] = [0, 0];
  while (row < before.length && column < after.length) {
    if (before[row] === after[column]) {
      changes.push({ sign: " ", text: before[row] ?? "" });
      row += 1;
      column += 1;
    } else if (at(row + 1, column) >= at(row, column + 1)) {
      changes.push({ sign: "-", text: before[row] ?? "" });
      row += 1;
    } else {
      changes.push({ sign: "+", text: after[column] ?? "" });
      column += 1;
    }
  }
  return [...changes, ...replaced(before.slice(row), after.slice(column))];
}

function replaced(before: readonly string[], after: readonly string[]): LineChange[] {
  return [
    ...before.map((text): LineChange => ({ sign: "-", text })),
    ...after.map((text): LineChange => ({ sign: "+", text })),
  ];
}

function shortened(changes: readonly LineChange[]): readonly LineChange[] {
  const near = changes.map((_, index) =>
    changes
      .slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1)
      .some(({ sign }) => sign !== " "),
  );
  const result: LineChange[] = [];
  let skipped = 0;
  const close = () => {
    if (skipped > 0) result.push({ sign: " ", text: `... ${skipped} unchanged lines` });
    skipped = 0;
  };
  for (const [index, change] of changes.entries()) {
    if (!near[index]) {
      skipped += 1;
      continue;
    }
    close();
    result.push(change);
  }
  close();
  return result;
}
