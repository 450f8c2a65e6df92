/** Where the API holds quantities, of which `1` and `1000m` are the same. */
const PLACES = ["limits", "requests", "capacity", "hard", "allocatable", "sizeLimit", "divisor"];

const SUFFIXES: Readonly<Record<string, number>> = {
  "": 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** Whether a key, or the one above it, holds quantities. */
export function holdsQuantities(keys: readonly string[]): boolean {
  return keys.slice(-2).some((key) => PLACES.includes(key));
}

/** Whether two texts mean the same quantity (k8s.io/apimachinery/pkg/api/resource). */
export function sameQuantity(one: unknown, other: unknown): boolean {
  const [a, b] = [amountOf(one), amountOf(other)];
  return a !== undefined && b !== undefined && Math.abs(a - b) <= 1e-9 * Math.abs(a);
}

function amountOf(value: unknown): number | undefined {
  const found = /^([+-]?\d*\.?\d+(?:[eE][+-]?\d+)?)([a-zA-Z]{0,2})$/.exec(String(value));
  const factor = SUFFIXES[found?.[2] ?? ""];
  return found === null || factor === undefined ? undefined : Number(found[1]) * factor;
}
