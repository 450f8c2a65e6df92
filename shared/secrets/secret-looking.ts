const NAME =
  /(^|_)(TOKEN|PASSWORD|PASSWD|PWD|SECRET|SECRETS|APIKEY|API_KEY|PRIVATE_KEY|ACCESS_KEY|SECRET_KEY|CREDENTIALS?)$/i;

// Forms that these kinds of secret always have, as their makers document them.
const VALUES: readonly (readonly [RegExp, string])[] = [
  [/\bgh[pousr]_[A-Za-z0-9]{20,}/, "a GitHub token"],
  [/\bgithub_pat_[A-Za-z0-9_]{20,}/, "a GitHub token"],
  [/\bnpm_[A-Za-z0-9]{30,}/, "an npm token"],
  [/\b(AKIA|ASIA)[A-Z0-9]{16}\b/, "an AWS access key"],
  [/\bxox[abprs]-[A-Za-z0-9-]{10,}/, "a Slack token"],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----/, "a private key"],
  [/\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\./, "a JSON web token"],
  [/^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]+:[^/\s:@]+@/i, "an address with a password in it"],
];

/**
 * Why a build argument looks like a secret; undefined when it does not. Build arguments are not
 * secret: they stand in the image's history, in its provenance and in lists of processes.
 */
export function secretLooking(
  name: string,
  value: string,
  isKnownSecret: (value: string) => boolean,
): string | undefined {
  if (value === "") return undefined;
  const kind = VALUES.find(([form]) => form.test(value))?.[1];
  if (kind !== undefined) return `its value looks like ${kind}`;
  if (NAME.test(name)) return "its name says that it is a secret";
  return isKnownSecret(value) ? "its value is a secret of this job" : undefined;
}
