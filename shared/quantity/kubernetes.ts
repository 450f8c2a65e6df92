const SUFFIXES: Readonly<Record<string, number>> = {
  "": 1,
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
};

/**
 * The amount of a quantity as Kubernetes writes it: `2Gi`, `500m`, `1e3`; undefined where it is none.
 *
 * Source: k8s.io/apimachinery/pkg/api/resource/quantity.go.
 */
export function amountOf(value: unknown): number | undefined {
  const found = /^([+-]?\d*\.?\d+(?:[eE][+-]?\d+)?)([a-zA-Z]{0,2})$/.exec(String(value));
  const factor = SUFFIXES[found?.[2] ?? ""];
  return found === null || factor === undefined ? undefined : Number(found[1]) * factor;
}
