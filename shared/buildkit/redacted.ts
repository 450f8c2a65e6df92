import type { Secrets } from "../secrets/index.ts";

/** The same with the secrets hidden in every text, at any depth. */
export function redacted<T>(value: T, secrets: Secrets): T {
  if (typeof value === "string") return secrets.redact(value) as T;
  if (Array.isArray(value)) return value.map((each) => redacted(each, secrets)) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => [key, redacted(each, secrets)]);
  return Object.fromEntries(entries) as T;
}
