/** Bytes in words with three digits, in units of 1,000: `172 MB`, `1.66 GB`. */
export function bytesInWords(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let size = bytes;
  let unit = 0;
  while (Math.abs(size) >= 999.5 && unit < units.length - 1) {
    size /= 1_000;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(size) : threeDigits(size)} ${units[unit]}`;
}

function threeDigits(value: number): string {
  return Number(value.toPrecision(3)).toString();
}

/** A length of time in its two largest units: `820 ms`, `12.4 s`, `3 min 20 s`, `2 d 4 h`. */
export function secondsInWords(seconds: number): string {
  if (seconds < 0) return `-${secondsInWords(-seconds)}`;
  if (seconds < 0.9995) return `${Math.round(seconds * 1_000)} ms`;
  if (seconds < 59.95) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  if (whole < 3_600) return pair(whole, 60, "min", 1, "s");
  if (whole < 86_400) return pair(whole, 3_600, "h", 60, "min");
  return pair(whole, 86_400, "d", 3_600, "h");
}

function pair(seconds: number, large: number, largeName: string, small: number, smallName: string) {
  const first = Math.floor(seconds / large);
  const second = Math.floor((seconds % large) / small);
  return second === 0 ? `${first} ${largeName}` : `${first} ${largeName} ${second} ${smallName}`;
}

/** A number with its thousands apart: `1,234,567`. */
export function countInWords(count: number): string {
  return count.toLocaleString("en-US");
}
