import type { Redact } from "./text.ts";

const LONGEST = 500;

/** The start of a body, fit to be shown: without secrets and without control characters. */
export function excerpt(body: string, redact: Redact): string {
  const plain = redact(body).replace(/(?![\n\t])\p{Cc}/gu, "\ufffd");
  return plain.length > LONGEST ? `${plain.slice(0, LONGEST)}…` : plain;
}
