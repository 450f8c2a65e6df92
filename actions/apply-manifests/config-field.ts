import { type Field, Rejection, text } from "../../shared/action/index.ts";
import {
  type ConfigKind,
  type Declaration,
  parseConfig,
  secretsInConfig,
} from "../../shared/job-config/index.ts";

/**
 * The ConfigMaps or Secrets that the job declares. Of Secrets, every value that the text itself holds
 * is hidden, and what is wrong is told without quoting any.
 */
export function config(kind: ConfigKind): Field<readonly Declaration[] | undefined> {
  const accepts =
    "a YAML mapping of names to what each holds: from-env, literals, files, env-file and so on";
  const secretsIn = kind === "Secret" ? secretsInConfig : () => [];
  return {
    ...text({ accepts, secretsIn }),
    parse: (raw) => {
      const parsed = parseConfig(kind, raw);
      if ("declarations" in parsed) return parsed.declarations;
      const sentences = parsed.issues.map(({ path, message }) =>
        path.length === 0 ? message : `${path.join(", ")}: ${message}`,
      );
      throw new Rejection(sentences.join("; "), { quotesNoSecret: true });
    },
  };
}
