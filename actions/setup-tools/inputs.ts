import {
  duration,
  type Field,
  flag,
  type Inputs,
  type OptionsOf,
  Rejection,
  text,
} from "../../shared/action/index.ts";
import type { Mirrors } from "../../shared/tools/index.ts";
import { parseHeaders, secretsOfHeaders } from "./headers.ts";
import { parseMirrors } from "./mirrors.ts";
import { type Request, readRequests } from "./requests.ts";

/** A field of text that is read by a function. */
function parsed<T, F extends Field<unknown>>(
  field: F,
  read: (raw: string) => T,
): Omit<F, "parse"> & { parse(raw: string): T } {
  return { ...field, parse: read };
}

const tools: Field<readonly Request[]> = parsed(
  text({
    required: true,
    accepts: "tools with versions, one a line, such as `kubectl 1.36` or `helm latest`",
  }),
  readRequests,
);
const mirror: Field<Mirrors | undefined> = parsed(
  text({
    accepts: "URLs, one a line; `tool=URL` for one tool",
    // https://user:password@host
    secretsIn: (raw) => [...raw.matchAll(/\/\/[^/@\s]*:([^/@\s]+)@/g)].map(([, word = ""]) => word),
  }),
  parseMirrors,
);
const mirrorHeader: Field<Readonly<Record<string, string>> | undefined> = parsed(
  text({ accepts: "lines of the form `Name: value`", secretsIn: secretsOfHeaders }),
  (raw) => {
    const { headers, problem } = parseHeaders(raw);
    if (problem !== undefined) throw new Rejection(problem, { quotesNoSecret: true });
    return headers;
  },
);

export const inputs = {
  tools,
  reuse: flag({ default: "true" }),
  mirror,
  "mirror-header": mirrorHeader,
  table: text({ accepts: "a table as YAML or JSON, or the path of one" }),
  timeout: duration({ min: 1_000, max: 3_600_000 }, { default: "5m" }),
} satisfies Inputs;

export const outputs = ["tools", "seconds"] as const;

export type Options = OptionsOf<typeof inputs>;
export type OutputName = (typeof outputs)[number];
