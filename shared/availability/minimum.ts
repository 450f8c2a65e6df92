/** How many ready endpoints there must be: a number, or a share of those at the beginning. */
export type Minimum = { readonly count: number } | { readonly percent: number };

/** Reads `2` or `80%`; undefined for any other text. */
export function minimumOf(text: string): Minimum | undefined {
  const { number, percent } = /^(?<number>\d{1,6})(?<percent>%)?$/.exec(text)?.groups ?? {};
  if (number === undefined) return undefined;
  if (percent === undefined) return { count: Number(number) };
  return Number(number) <= 100 ? { percent: Number(number) } : undefined;
}

/** The number that a minimum comes to where `before` endpoints were ready at the beginning. */
export function countOf(minimum: Minimum, before: number): number {
  return "count" in minimum ? minimum.count : Math.ceil((minimum.percent * before) / 100);
}
