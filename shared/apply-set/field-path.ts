type Step = string | number | Readonly<Record<string, unknown>>;

/** A step of a path as structured-merge-diff prints it: `.name`, `[0]`, `[name="web",port=80]`. */
const STEP = /\.(?<name>[^.[\]]+)|\[(?<index>\d+)\]|\[(?<keys>[^\]]*)\]/g;
const KEY = /(?<key>\w+)=(?<value>"(?:[^"\\]|\\.)*"|[^,\]]+)/g;

function stepsOf(path: string): readonly Step[] {
  return [...path.matchAll(STEP)].map(({ groups = {} }): Step => {
    const { name, index, keys } = groups;
    if (name !== undefined) return name;
    if (index !== undefined) return Number(index);
    const pairs = [...(keys ?? "").matchAll(KEY)].map(({ groups: pair = {} }) => [
      pair.key ?? "",
      literal(pair.value ?? ""),
    ]);
    return Object.fromEntries(pairs);
  });
}

function literal(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A copy without the field at a path, as the API server names it; the same value when it has none. */
export function withoutField<T>(value: T, path: string): T {
  return without(value, stepsOf(path)) as T;
}

function without(node: unknown, [step, ...rest]: readonly Step[]): unknown {
  if (step === undefined) return node;
  if (Array.isArray(node)) {
    return node.flatMap((item, index) => {
      if (!isMeant(item, index, step)) return [item];
      return rest.length === 0 ? [] : [without(item, rest)];
    });
  }
  if (typeof node !== "object" || node === null || typeof step !== "string") return node;
  return Object.fromEntries(
    Object.entries(node).flatMap(([key, item]) => {
      if (key !== step) return [[key, item]];
      return rest.length === 0 ? [] : [[key, without(item, rest)]];
    }),
  );
}

function isMeant(item: unknown, index: number, step: Step): boolean {
  if (typeof step === "number") return index === step;
  if (typeof step === "string" || typeof item !== "object" || item === null) return false;
  const fields = item as Readonly<Record<string, unknown>>;
  return Object.entries(step).every(([key, value]) => fields[key] === value);
}
