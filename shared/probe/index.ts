export type { Attempt, Check } from "./attempt.ts";
export { excerpt } from "./excerpt.ts";
export { askGrpc, type GrpcQuestion } from "./grpc.ts";
export {
  type Latencies,
  type LatencyLimit,
  milliseconds,
  parseLatencyLimit,
} from "./latency.ts";
export type { Ask, Kind, Pace, Reply, Target, Way } from "./probe.ts";
export { type CheckResult, prove } from "./prove.ts";
export { type Address, addressText, askTcp, type TcpQuestion } from "./tcp.ts";
export {
  cut,
  quote,
  type Redact,
  type TextExpectation,
  textMismatches,
} from "./text.ts";
export { certificatesOf, type TlsOptions, type Trust, tlsOptions } from "./trust.ts";
export { explain, type Trouble, Unanswered } from "./unanswered.ts";
