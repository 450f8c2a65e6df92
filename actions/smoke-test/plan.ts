import { UserError } from "../../shared/failure/index.ts";
import type { Check } from "../../shared/http/index.ts";
import type { Options } from "./inputs.ts";
import type { CheckSpec } from "./read-checks.ts";
import type { ServiceName } from "./service-name.ts";

/** What is to be checked: a URL or a Service, never both. */
export type Subject =
  | { readonly kind: "url"; readonly url: URL }
  | { readonly kind: "service"; readonly service: ServiceName };

/**
 * @throws {UserError} when both or neither of url and service are given, or two namespaces.
 */
export function subjectOf({ url, service, namespace }: Options): Subject {
  if (url !== undefined && service !== undefined) {
    throw wrong("Both url and service are given.", "Give one of them.");
  }
  if (url !== undefined) return { kind: "url", url };
  if (service === undefined) {
    const examples = "url: https://example.com, or service: web:80 for a Service of a cluster";
    throw wrong("Neither url nor service is given.", `Give one of them: ${examples}.`);
  }
  const named = service.namespace;
  if (named !== undefined && namespace !== undefined && named !== namespace) {
    const cause = `The input service names namespace ${named}, the input namespace ${namespace}.`;
    throw wrong(cause, "Give the namespace once.");
  }
  return { kind: "service", service: { ...service, namespace: named ?? namespace } };
}

function wrong(cause: string, remedy: string): UserError {
  return new UserError({ title: "What is to be checked?", cause, remedy });
}

const BARE: CheckSpec = {
  name: undefined,
  method: undefined,
  path: undefined,
  headers: {},
  body: undefined,
  status: undefined,
  followRedirects: undefined,
  expectation: { headers: {}, body: { contains: [], matches: [] }, json: [] },
};

/** The checks, each completed from the inputs that hold for all; a single one when none is given. */
export function checksOf(options: Options): readonly Check[] {
  return (options.checks ?? [BARE]).map((spec) => {
    const method = spec.method ?? "GET";
    const path = spec.path ?? options.path;
    return {
      name: spec.name ?? `${method} ${path}`,
      method,
      path,
      headers: { ...options.headers, ...spec.headers },
      body: spec.body,
      followRedirects: spec.followRedirects ?? options.followRedirects,
      expectation: { ...spec.expectation, status: spec.status ?? options.status },
    };
  });
}
