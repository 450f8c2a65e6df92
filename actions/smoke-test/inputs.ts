import {
  choice,
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
import {
  type Preset,
  parsePreset,
  parseStatusSet,
  type StatusSet,
} from "../../shared/http/index.ts";
import { imageMap } from "../../shared/image-map/index.ts";
import type { IngressName } from "./check-spec.ts";
import { headersField } from "./headers.ts";
import { checkList, secretsOfChecks } from "./read-checks.ts";
import { pathOf } from "./read-kinds.ts";
import { readIngress, readUrl } from "./read-url.ts";
import { readService, type ServiceName } from "./service-name.ts";

/** A field of text whose form is told by a function that throws FormatError. */
function parsed<T, F extends Field<unknown>>(field: F, read: (raw: string) => T) {
  return { ...field, parse: read };
}

/** A field whose rejections quote names and forms, but never the value of a header. */
function quotingNoSecret<T>(field: Field<T>): Field<T> {
  return {
    ...field,
    parse(raw) {
      try {
        return field.parse(raw);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
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
  (raw) => readUrl(raw, "http"),
);
const service: Field<ServiceName | undefined> = parsed(
  text({ accepts: "name, name:port or namespace/name:port of a Service" }),
  readService,
);
const ingress: Field<IngressName | undefined> = parsed(
  text({ accepts: "name or namespace/name of an Ingress" }),
  readIngress,
);
const path: Field<string> = parsed(
  text({ accepts: "a path such as /health", default: "/" }),
  pathOf,
);
const status: Field<StatusSet> = parsed(
  text({ accepts: "status codes or classes such as 200, 204 or 2xx", default: "2xx" }),
  parseStatusSet,
);
const presets: Field<readonly Preset[] | undefined> = parsed(
  text({ accepts: "some of health, ready, live" }),
  (raw) =>
    raw
      .split(/[\s,]+/)
      .filter(Boolean)
      .map(parsePreset),
);
const pem = { accepts: "PEM, or the path of a file that holds it" };

export const inputs = {
  url,
  service,
  ingress,
  namespace: text({ accepts: "a namespace's name" }, /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/),
  kubeconfig: text({ accepts: "a kubeconfig's path, content, or content in base64" }),
  context: text({ accepts: "the name of a context" }),
  checks: quotingNoSecret(
    yaml(checkList, { accepts: "a YAML list of checks", secretsIn: secretsOfChecks }),
  ),
  presets,
  path,
  status,
  headers: quotingNoSecret(headersField),
  "follow-redirects": flag({ default: "false" }),
  pods: choice(["one", "every"], {}),
  images: yaml(imageMap, { accepts: "the digest map of build-push" }),
  "images-file": text({ accepts: "the path of a file that build-push wrote" }),
  "require-images": flag({ default: "true" }),
  tls: flag({ default: "false" }),
  ca: text(pem),
  "server-name": text({ accepts: "a host name" }),
  "client-certificate": text(pem),
  "client-key": text({ ...pem, secret: true }),
  insecure: flag({ default: "false" }),
  junit: text({ accepts: "the path of a file" }),
  timeout: duration({ min: 1_000, max: 3_600_000 }, { default: "60s" }),
  interval: duration({ min: 50, max: 60_000 }, { default: "1s" }),
  "request-timeout": duration({ min: 50, max: 300_000 }, { default: "10s" }),
} satisfies Inputs;

export const outputs = ["report", "junit", "seconds"] as const;

export type Options = OptionsOf<typeof inputs>;
export type OutputName = (typeof outputs)[number];
