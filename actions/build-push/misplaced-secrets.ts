import { load } from "js-yaml";
import { secretLooking } from "../../shared/secrets/index.ts";
import { VARIABLE } from "./service-schema.ts";

/**
 * Secrets that stand in an input where they do not belong. They are refused later; what matters
 * here is that no message on the way shows them.
 */

/** Keys of a service whose values all can read who can pull its image. */
const PUBLIC_TEXTS = ["labels", "annotations", "contexts"] as const;

/** Those in the input `services`. */
export function secretsInServices(raw: string): readonly string[] {
  const services = parsed(raw);
  if (!Array.isArray(services)) return [];
  return services.flatMap((service: Readonly<Record<string, unknown>> | null) => [
    ...entriesOf(service?.["build-args"]).flatMap(secretArgument),
    ...secretsGiven(service?.secrets),
    ...PUBLIC_TEXTS.flatMap((key) =>
      entriesOf(service?.[key]).flatMap(([, value]) => secretArgument(["", value])),
    ),
  ]);
}

/** Those in the input `secrets`. */
export function secretsInSecrets(raw: string): readonly string[] {
  const value = parsed(raw);
  // What is no YAML may still be docker's form.
  return secretsGiven(value === undefined && /^[\w.-]+=/m.test(raw) ? raw : value);
}

/** Of a mapping its values; of docker's own form, `id=value` or `id=value` in a list, all of it. */
function secretsGiven(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(secretsGiven);
  if (typeof value !== "string") return entriesOf(value).flatMap(secretItself);
  // YAML makes one line of several, and blanks of what divided them.
  return value.split(/[\r\n]+|\s+(?=[\w.-]+=)/).flatMap((part) => {
    const text = part.slice(part.indexOf("=") + 1).trim();
    return text === "" ? [] : [text];
  });
}

/** Those in the input `build-args`, lines of the form NAME=value. */
export function secretsInBuildArgs(raw: string): readonly string[] {
  return raw.split(/\r\n|\r|\n/).flatMap((line) => {
    const [name = "", ...rest] = line.split("=");
    return secretArgument([name.trim(), rest.join("=").trim()]);
  });
}

function secretArgument([name, value]: readonly [string, unknown]): readonly string[] {
  const text = String(value ?? "");
  return secretLooking(name, text, () => false) === undefined ? [] : [text];
}

/** A value where the name of a variable should be may be the secret itself. */
function secretItself([, value]: readonly [string, unknown]): readonly string[] {
  if (typeof value === "object" || value === undefined) return [];
  return VARIABLE.test(String(value)) ? [] : [String(value)];
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

function parsed(raw: string): unknown {
  try {
    return load(raw);
  } catch {
    // The field itself says what is wrong with it.
    return undefined;
  }
}
