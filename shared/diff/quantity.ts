import { amountOf } from "../quantity/index.ts";

/** Where the API holds quantities, of which `1` and `1000m` are the same. */
const PLACES = ["limits", "requests", "capacity", "hard", "allocatable", "sizeLimit", "divisor"];

/** Whether a key, or the one above it, holds quantities. */
export function holdsQuantities(keys: readonly string[]): boolean {
  return keys.slice(-2).some((key) => PLACES.includes(key));
}

/** Whether two texts mean the same quantity (k8s.io/apimachinery/pkg/api/resource). */
export function sameQuantity(one: unknown, other: unknown): boolean {
  const [a, b] = [amountOf(one), amountOf(other)];
  return a !== undefined && b !== undefined && Math.abs(a - b) <= 1e-9 * Math.abs(a);
}
