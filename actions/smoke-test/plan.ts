import { UserError } from "../../shared/failure/index.ts";
import { PRESETS } from "../../shared/http/index.ts";
import type { Pace } from "../../shared/probe/index.ts";
import type { CheckSpec, Destination, ExecSpec, HttpSpec, Pods } from "./check-spec.ts";
import type { Options } from "./inputs.ts";
import { hostOf, portOf } from "./read-url.ts";

/** A check completed from the inputs that hold for all. */
export interface Plan {
  readonly name: string;
  readonly spec: CheckSpec;
  readonly to: Destination;
  readonly pods: Pods;
  readonly tls: boolean;
  readonly serverName: string | undefined;
  readonly pace: Pace;
  readonly requests: number;
  readonly atOnce: number;
  /** Whether it is to be looked at which images the answering pods run. */
  readonly attest: boolean;
}

const ANY = { contains: [], matches: [] };

/** What the keys that nobody wrote say. */
const BARE: HttpSpec = {
  type: "http",
  ...{ name: undefined, to: undefined, pods: undefined, timeout: undefined },
  ...{ requestTimeout: undefined, interval: undefined, attempts: undefined },
  ...{ requests: undefined, atOnce: undefined, latency: [], maxLatency: undefined },
  ...{ digest: undefined, tls: undefined, serverName: undefined, preset: undefined },
  ...{ method: undefined, path: undefined, headers: {}, body: undefined },
  ...{ followRedirects: undefined, status: undefined, version: undefined, answeredBy: undefined },
  expectation: { headers: {}, body: ANY, json: [] },
};

const DEFAULT_AT_ONCE = 5;

/**
 * The checks that the inputs ask for: those of the list, one for each preset, and a single request
 * where there is neither.
 *
 * @throws {UserError} when it is not clear what is to be asked, naming every such check.
 */
export function planOf(options: Options): readonly Plan[] {
  const { checks = [], presets = [] } = options;
  const general = generalDestination(options);
  const specs = [...checks, ...presets.map((preset) => ({ ...BARE, preset }))];
  const all = specs.length === 0 ? [BARE] : specs;
  const problems: string[] = [];
  const plans = all.flatMap((spec, at) => {
    const to = spec.to ?? general;
    const place = spec.name ?? `check ${at + 1}`;
    const found =
      to === undefined
        ? nothingToAsk(checks.length > 0 ? place : undefined)
        : problemsOf(spec, to, options).map((problem) => `${place}: ${problem}`);
    problems.push(...found);
    return to === undefined || found.length > 0 ? [] : [complete(spec, to, options)];
  });
  if (problems.length > 0) throw unclear([...new Set(problems)]);
  const required = options.images !== undefined && options.requireImages;
  if (required && !plans.some(({ attest }) => attest)) {
    throw unclear([
      "the input images is given, but no check tells which pod answers: ask a service, or say by answered-by where the answer names its pod",
    ]);
  }
  return plans;
}

/** What checks ask that name nothing of their own. */
function generalDestination(options: Options): Destination | undefined {
  const { url, service, ingress, namespace } = options;
  const given = Object.entries({ url, service, ingress }).filter(
    ([, value]) => value !== undefined,
  );
  if (given.length > 1) {
    const names = given.map(([name]) => name).join(" and ");
    throw unclear([`both ${names} are given; give one of them`]);
  }
  const named = service?.namespace ?? ingress?.namespace;
  if (named !== undefined && namespace !== undefined && named !== namespace) {
    const what = service === undefined ? "ingress" : "service";
    throw unclear([
      `the input ${what} names namespace ${named}, the input namespace ${namespace}; give it once`,
    ]);
  }
  if (url !== undefined) return { kind: "url", url, connectTo: undefined };
  if (service !== undefined) return { kind: "service", service };
  return ingress === undefined ? undefined : { kind: "ingress", ingress };
}

function nothingToAsk(place: string | undefined): string[] {
  const examples = "url: https://example.com, or service: web:80 for a Service of a cluster";
  return place === undefined
    ? [`neither url nor service is given; give one of them: ${examples}`]
    : [
        `${place}: it names neither url nor service, and no input does; give one of them: ${examples}`,
      ];
}

function unclear(problems: readonly string[]): UserError {
  const sentences = problems.map(
    (problem) => `${problem.charAt(0).toUpperCase()}${problem.slice(1)}.`,
  );
  return new UserError({
    title: "What is to be checked?",
    cause: sentences.join("\n"),
    remedy: "Correct the inputs; nothing was asked yet.",
  });
}

/** What does not go together. */
function problemsOf(spec: CheckSpec, to: Destination, { images }: Options): string[] {
  const problems: string[] = [];
  const inCluster = to.kind === "service" || to.kind === "workload";
  if (spec.type === "exec" && !inCluster) {
    problems.push("a command runs in a pod; name it by service or by workload");
  }
  if (spec.type !== "exec" && to.kind === "workload") {
    problems.push("only a command is run in a workload's pod; name a service to ask it by network");
  }
  if ((spec.type === "tcp" || spec.type === "grpc") && to.kind === "ingress") {
    problems.push("an Ingress carries HTTP; name a url or service");
  }
  if (
    (spec.type === "tcp" || spec.type === "grpc") &&
    to.kind === "url" &&
    portOf(to.url) === undefined
  ) {
    problems.push("its URL names no port");
  }
  const tellsPod = spec.type === "http" && spec.answeredBy !== undefined;
  if (spec.digest !== undefined && !inCluster && !tellsPod) {
    problems.push(
      "digest needs to know which pod answered: ask a service, or say where the answer names its pod by answered-by",
    );
  }
  if (tellsPod && spec.digest === undefined && images === undefined) {
    problems.push(
      "answered-by finds the pod whose image is looked at: give digest, or the input images",
    );
  }
  if (spec.pods === "every" && !inCluster)
    problems.push("pods: every needs a service or a workload");
  return problems;
}

function complete(spec: CheckSpec, to: Destination, options: Options): Plan {
  const { requests = 1 } = spec;
  const inCluster = to.kind === "service" || to.kind === "workload";
  const tellsPod = spec.type === "http" && spec.answeredBy !== undefined;
  const attest =
    (inCluster || tellsPod) && (options.images !== undefined || spec.digest !== undefined);
  const every = spec.pods ?? options.pods ?? (attest ? "every" : "one");
  const timeout = spec.timeout ?? options.timeout;
  return {
    name: spec.name ?? nameOf(spec, options),
    spec,
    to,
    pods: inCluster ? every : "one",
    tls: spec.tls ?? options.tls,
    serverName: spec.serverName ?? options.serverName,
    pace: {
      timeout,
      interval: spec.interval ?? options.interval,
      requestTimeout: Math.min(spec.requestTimeout ?? options.requestTimeout, timeout),
      attempts: spec.attempts ?? Infinity,
    },
    requests,
    atOnce: spec.atOnce ?? DEFAULT_AT_ONCE,
    attest,
  };
}

/** What reports call a check that has no name: what it asks, and whom where it says so itself. */
function nameOf(spec: CheckSpec, options: Options): string {
  const whom = spec.to === undefined ? "" : ` of ${destinationText(spec.to)}`;
  if (spec.type === "http") return `${spec.method ?? "GET"} ${pathsOf(spec, options)[0]}${whom}`;
  if (spec.type === "tcp") return `TCP${whom}`;
  if (spec.type === "grpc") return `gRPC health${spec.service && ` ${spec.service}`}${whom}`;
  return `${commandText(spec)}${whom.replace(" of ", " in ")}`;
}

/** The paths that an HTTP check may find an answer at. */
export function pathsOf(
  { preset, path }: HttpSpec,
  options: Pick<Options, "path">,
): readonly [string, ...string[]] {
  return preset === undefined ? [path ?? options.path] : PRESETS[preset];
}

/** As a person would type it. */
export function commandText({ command }: Pick<ExecSpec, "command">): string {
  return command
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word)))
    .join(" ");
}

export function destinationText(to: Destination): string {
  if (to.kind === "url") return to.url.href.replace(/\/$/, "");
  const name =
    to.kind === "service" ? to.service : to.kind === "ingress" ? to.ingress : to.workload;
  const space = name.namespace === undefined ? "" : `${name.namespace}/`;
  if (to.kind === "service")
    return `${space}${name.name}${to.service.port ? `:${to.service.port}` : ""}`;
  const kind = to.kind === "ingress" ? "ingress" : to.workload.kind.toLowerCase();
  return `${space}${kind}/${name.name}`;
}

/** Where a check by TCP or gRPC connects to; the port is 0 where only the Service knows it. */
export function addressOf(to: Destination, namespace: string): { host: string; port: number } {
  if (to.kind === "url") return { host: hostOf(to.url), port: portOf(to.url) ?? 0 };
  if (to.kind !== "service") return { host: destinationText(to), port: 0 };
  const { name, port = "" } = to.service;
  const host = `${name}.${to.service.namespace ?? namespace}.svc`;
  return { host, port: /^\d+$/.test(port) ? Number(port) : 0 };
}
