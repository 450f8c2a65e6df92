import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** One answered request. The labels are bounded: `route` is a known route or "other". */
export interface ObservedRequest {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

/** What the service tells about itself to Prometheus. */
export interface Metrics {
  readonly contentType: string;
  /** Everything measured so far, in Prometheus' text format. */
  text(): Promise<string>;
  observe(request: ObservedRequest): void;
}

// Dense around what this service needs (milliseconds) and around usual latency targets.
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

// Anyone can invent a method; a label must not grow with what strangers send.
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Makes the service's metrics in a registry of their own, so that servers do not share counts. */
export function createMetrics(name: string, version: string): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: "app_info",
    help: "Always 1; the labels say which version runs.",
    labelNames: ["name", "version"],
    registers: [registry],
  }).set({ name, version }, 1);
  const requests = new Counter({
    name: "http_requests_total",
    help: "Requests answered.",
    labelNames: ["method", "route", "status"],
    registers: [registry],
  });
  const durations = new Histogram({
    name: "http_request_duration_seconds",
    help: "Time from a request's arrival to the end of its answer.",
    labelNames: ["method", "route", "status"],
    buckets: BUCKETS,
    registers: [registry],
  });
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    observe: ({ method, route, status, seconds }) => {
      const labels = { method: METHODS.has(method) ? method : "other", route, status };
      requests.inc(labels);
      durations.observe(labels, seconds);
    },
  };
}
