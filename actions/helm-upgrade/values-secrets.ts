import { load } from "js-yaml";

/** Keys whose texts are secrets more often than not. `secretName` and the like only name one. */
const SECRET_KEY = /(passw(or)?d|passphrase|secret|token|api_?key|private_?key|credentials?)$/i;

/** The texts in values that must not be shown: those under a key that speaks of a secret. */
export function secretsOfValues(raw: string): readonly string[] {
  try {
    return secretsIn(load(raw, { json: true }));
  } catch {
    // Helm reads the values and says what is wrong with them.
    return [];
  }
}

function secretsIn(value: unknown, key = ""): readonly string[] {
  if (typeof value === "string") return SECRET_KEY.test(key) ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  const inherited = Array.isArray(value) ? key : undefined;
  return Object.entries(value).flatMap(([own, child]) => secretsIn(child, inherited ?? own));
}

/** The same in lines of `path=text`. */
export function secretsAtPaths(raw: string): readonly string[] {
  return raw.split(/\r\n|\r|\n/).flatMap((line) => {
    const at = line.indexOf("=");
    const [path, text] = [line.slice(0, Math.max(at, 0)).trim(), line.slice(at + 1).trim()];
    return SECRET_KEY.test(path.replace(/\[\d+\]$/, "")) && text !== "" ? [text] : [];
  });
}
