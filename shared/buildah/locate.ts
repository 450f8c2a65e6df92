/**
 * The line, counted from 1, on which an instruction of a Dockerfile begins; undefined when none
 * reads like it. buildah prints an instruction with its lines joined, and names no line.
 */
export function locate(dockerfile: string, instruction: string): number | undefined {
  const wanted = plain(instruction);
  const all = instructionsOf(dockerfile);
  const [keyword = ""] = wanted.split(" ");
  const isFrom = /^from$/i.test(keyword);
  const found =
    all.find(({ text }) => text === wanted) ??
    all.find(({ text }) => isFrom && text.toLowerCase().startsWith(wanted.toLowerCase())) ??
    // A value of a build argument stands there in place of its name.
    only(all.filter(({ text }) => text.split(" ")[0]?.toLowerCase() === keyword.toLowerCase()));
  return found?.line;
}

function only<T>(items: readonly T[]): T | undefined {
  return items.length === 1 ? items[0] : undefined;
}

function instructionsOf(dockerfile: string): { readonly line: number; readonly text: string }[] {
  const instructions: { line: number; text: string }[] = [];
  let begun: { line: number; text: string } | undefined;
  for (const [index, line] of dockerfile.split(/\r?\n/).entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const continued = /\\\s*$/.test(line);
    const part = line.replace(/\\\s*$/, " ");
    begun =
      begun === undefined
        ? { line: index + 1, text: part }
        : { ...begun, text: `${begun.text}${part}` };
    if (continued) continue;
    instructions.push({ ...begun, text: plain(begun.text) });
    begun = undefined;
  }
  return instructions;
}

function plain(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
