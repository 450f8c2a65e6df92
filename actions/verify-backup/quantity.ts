const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  ...{ k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
};

/**
 * A quantity of bytes as Kubernetes writes it: `2Gi`, `500M`.
 *
 * Source: k8s.io/apimachinery/pkg/api/resource/quantity.go.
 */
export function memoryIn(quantity: string): number {
  const [, number = "", unit = ""] = /^([\d.]+)([a-zA-Z]*)$/.exec(quantity) ?? [];
  return Math.round(Number(number) * (UNITS[unit] ?? 1));
}
