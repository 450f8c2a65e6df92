import {
  duration,
  type Field,
  flag,
  type Inputs,
  type OptionsOf,
  Rejection,
  text,
  yaml,
} from "../../shared/action/index.ts";
import { FormatError } from "../../shared/failure/index.ts";
import { parseStatusSet, type StatusSet } from "../../shared/http/index.ts";
import { headersField } from "./headers.ts";
import { checkList, pathOf, secretsOfChecks } from "./read-checks.ts";
import { readService, type ServiceName } from "./service-name.ts";

/** A field of text whose form is told by a function that throws FormatError. */
function parsed<T, F extends Field<unknown>>(field: F, read: (raw: string) => T) {
  return {
    ...field,
    parse(raw: string): T {
      try {
        return read(raw);
      } catch (error) {
        throw error instanceof FormatError ? new Rejection(error.message) : error;
      }
    },
  };
}

/** A field whose rejections quote names and forms, but never the value of a header. */
function quotingNoSecret<T>(field: Field<T>): Field<T> {
  return {
    ...field,
    parse(raw) {
      try {
        return field.parse(raw);
      } catch (error) {
        if (!(error instanceof Rejection)) throw error;
        throw new Rejection(error.message, { quotesNoSecret: true });
      }
    },
  };
}

const url: Field<URL | undefined> = parsed(
  text({
    accepts: "an http or https URL without query and credentials",
    // https://user:password@host
    secretsIn: (raw) => [/\/\/[^/@]*:([^/@]+)@/.exec(raw)?.[1] ?? ""].filter(Boolean),
  }),
  readUrl,
);
const service: Field<ServiceName | undefined> = parsed(
  text({ accepts: "name, name:port or namespace/name:port of a Service" }),
  readService,
);
const path: Field<string> = parsed(
  text({ accepts: "a path such as /health", default: "/" }),
  pathOf,
);
const status: Field<StatusSet> = parsed(
  text({ accepts: "status codes or classes such as 200, 204 or 2xx", default: "2xx" }),
  parseStatusSet,
);

export const inputs = {
  url,
  service,
  namespace: text({ accepts: "a namespace's name" }, /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/),
  kubeconfig: text({ accepts: "a kubeconfig's path, content, or content in base64" }),
  context: text({ accepts: "the name of a context" }),
  checks: quotingNoSecret(
    yaml(checkList, { accepts: "a YAML list of checks", secretsIn: secretsOfChecks }),
  ),
  path,
  status,
  headers: quotingNoSecret(headersField),
  "follow-redirects": flag({ default: "false" }),
  timeout: duration({ min: 1_000, max: 3_600_000 }, { default: "60s" }),
  interval: duration({ min: 50, max: 60_000 }, { default: "1s" }),
  "request-timeout": duration({ min: 50, max: 300_000 }, { default: "10s" }),
} satisfies Inputs;

export const outputs = ["report", "seconds"] as const;

export type Options = OptionsOf<typeof inputs>;
export type OutputName = (typeof outputs)[number];

function readUrl(raw: string): URL {
  const parsedUrl = URL.parse(raw);
  if (parsedUrl === null || !/^https?:$/.test(parsedUrl.protocol)) {
    throw new FormatError("it is no URL that starts with http:// or https://");
  }
  if (parsedUrl.username !== "" || parsedUrl.password !== "") {
    throw new FormatError("it holds credentials; send them by the input headers");
  }
  if (parsedUrl.search !== "" || parsedUrl.hash !== "") {
    throw new FormatError("it has a query or a fragment; a query belongs to the path of a check");
  }
  return parsedUrl;
}
