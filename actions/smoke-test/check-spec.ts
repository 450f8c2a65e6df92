import type { Part } from "../../shared/action/index.ts";
import type { Expectation, Preset, Source, StatusSet } from "../../shared/http/index.ts";
import type { Kind, LatencyLimit, TextExpectation } from "../../shared/probe/index.ts";
import type { ServiceName } from "./service-name.ts";
import type { WorkloadName } from "./workload-name.ts";

/** Where a check is sent, as the user wrote it. */
export type Destination =
  | { readonly kind: "url"; readonly url: URL; readonly connectTo: Address | undefined }
  | { readonly kind: "service"; readonly service: ServiceName }
  | { readonly kind: "ingress"; readonly ingress: IngressName }
  | { readonly kind: "workload"; readonly workload: WorkloadName };

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface IngressName {
  readonly namespace: string | undefined;
  readonly name: string;
  /** Which of its hosts; the first otherwise. */
  readonly host: string | undefined;
}

/** Which pods of a Service or workload are asked. */
export type Pods = "one" | "every";

/** What every check may say of itself; what is undefined comes from the inputs. */
interface Common {
  readonly name: string | undefined;
  readonly to: Destination | undefined;
  readonly pods: Pods | undefined;
  readonly timeout: number | undefined;
  readonly requestTimeout: number | undefined;
  readonly interval: number | undefined;
  readonly attempts: number | undefined;
  readonly requests: number | undefined;
  readonly atOnce: number | undefined;
  readonly latency: readonly LatencyLimit[];
  readonly maxLatency: number | undefined;
  /** The image that the answering pods must run. */
  readonly digest: string | undefined;
  readonly tls: boolean | undefined;
  readonly serverName: string | undefined;
}

export interface HttpSpec extends Common {
  readonly type: "http";
  readonly preset: Preset | undefined;
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly followRedirects: boolean | undefined;
  readonly status: StatusSet | undefined;
  readonly expectation: Omit<Expectation, "status" | "maxLatency">;
  readonly version: { readonly source: Source; readonly equals: string | undefined } | undefined;
  readonly answeredBy: Source | undefined;
}

export interface TcpSpec extends Common {
  readonly type: "tcp";
  readonly send: string | undefined;
  readonly expect: TextExpectation;
}

export interface GrpcSpec extends Common {
  readonly type: "grpc";
  readonly service: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ExecSpec extends Common {
  readonly type: "exec";
  readonly command: readonly string[];
  readonly container: string | undefined;
  readonly exitCode: number;
  readonly stdout: TextExpectation;
  readonly stderr: TextExpectation;
}

/** A check as the user wrote it. */
export type CheckSpec = HttpSpec | TcpSpec | GrpcSpec | ExecSpec;

const EVERY = [
  "name",
  "type",
  "pods",
  "timeout",
  "request-timeout",
  "interval",
  "attempts",
] as const;
const MEASURED = ["requests", "at-once", "latency", "max-latency"] as const;
const NETWORK = ["url", "service", "tls", "server-name"] as const;

/** The keys of the checks of each type, in the order in which they are told. */
export const KEYS = {
  http: [
    ...["name", "type", "method", "path", "preset", "headers", "request-body"],
    ...["follow-redirects", "status", "response-headers", "body", "json", "version"],
    ...["answered-by", "digest", "ingress", "connect-to", ...NETWORK, ...MEASURED, ...EVERY],
  ],
  tcp: ["send", "expect", "digest", ...NETWORK, ...MEASURED, ...EVERY],
  grpc: ["grpc-service", "headers", "digest", ...NETWORK, ...MEASURED, ...EVERY],
  exec: [
    ...["command", "service", "workload", "container", "exit-code", "stdout", "stderr"],
    ...["digest", "max-latency", ...EVERY],
  ],
} as const satisfies Readonly<Record<Kind, readonly string[]>>;

/** The parts of a check by their keys. */
export type Given = { readonly [Key in (typeof KEYS)[Kind][number]]?: Part };
