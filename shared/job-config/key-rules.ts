/** The most bytes of values that one ConfigMap or Secret may hold: apimachinery's MaxSecretSize. */
export const MOST_BYTES = 1_048_576;

/** What is wrong with a key of a ConfigMap or Secret; undefined when it is good. */
export function keyProblem(key: string): string | undefined {
  // apimachinery, validation.IsConfigMapKey.
  if (key === "") return "a key is empty";
  if (key.length > 253) return `the key ${quote(key)} is longer than 253 characters`;
  if (!/^[-._a-zA-Z0-9]+$/.test(key)) {
    return `the key ${quote(key)} may hold letters, digits, \`-\`, \`_\` and \`.\` only`;
  }
  if (key === "." || key.startsWith("..")) {
    return `the key ${quote(key)} may not be \`.\` or begin with \`..\``;
  }
  return undefined;
}

/** What is wrong with the name of an object; undefined when it is good (RFC 1123 subdomain). */
export function nameProblem(name: string): string | undefined {
  if (name.length <= 253 && NAME.test(name)) return undefined;
  return "a name is up to 253 of a-z, 0-9, `-` and `.`, with a letter or digit at both ends";
}

const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

function quote(key: string): string {
  return JSON.stringify(key.length > 60 ? `${key.slice(0, 60)}…` : key);
}
