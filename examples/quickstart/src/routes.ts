import { delay, failsByChance, NOT_READY_REASON } from "./faults.ts";
import type { Metrics } from "./metrics.ts";
import type { Settings } from "./settings.ts";

/** What to send back for a request. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** What the routes look at to answer. */
export interface Service {
  readonly settings: Settings;
  readonly metrics: Metrics;
  readonly startedAt: number;
  readonly random: () => number;
  /** True from SIGTERM on: still serving, but on the way out. */
  draining(): boolean;
}

type Route = (service: Service) => Answer | Promise<Answer>;

// The probes and the metrics are exempt from error rate and latency: a service that serves errors
// should look exactly so, not be restarted by its liveness probe or vanish from the graphs.
const ROUTES: ReadonlyMap<string, Route> = new Map([
  ["/", withFaults(home)],
  ["/health", withFaults(health)],
  ["/ready", ready],
  ["/live", live],
  ["/metrics", metrics],
]);

/** The label under which a path is counted: its route, or "other", however many paths are tried. */
export function routeOf(path: string): string {
  return ROUTES.has(path) ? path : "other";
}

/** Answers one request. */
export async function answer(service: Service, method: string, path: string): Promise<Answer> {
  const route = ROUTES.get(path);
  if (route === undefined) {
    return json(404, { status: "error", reason: `there is nothing at ${path}` });
  }
  if (method !== "GET" && method !== "HEAD") {
    return json(405, { status: "error", reason: `${path} answers GET and HEAD only` });
  }
  return await route(service);
}

/** An answer for a mistake of our own: it says that, and keeps the details for the log. */
export function internalError(): Answer {
  return json(500, { status: "error", reason: "internal error" });
}

function home({ settings }: Service): Answer {
  const { name, version, greeting } = settings;
  return json(200, { name, version, greeting });
}

function health({ settings, startedAt }: Service): Answer {
  const uptimeSeconds = Math.round((performance.now() - startedAt) / 1000);
  return json(200, { status: "ok", version: settings.version, uptimeSeconds });
}

function ready(service: Service): Answer {
  if (service.draining()) {
    return json(503, { status: "not ready", reason: "shutting down" });
  }
  if (service.settings.faults.readiness) {
    return json(503, { status: "not ready", reason: NOT_READY_REASON });
  }
  return json(200, { status: "ready" });
}

function live(): Answer {
  return json(200, { status: "alive" });
}

async function metrics(service: Service): Promise<Answer> {
  const { contentType } = service.metrics;
  return { status: 200, contentType, body: await service.metrics.text() };
}

function withFaults(route: Route): Route {
  return async (service) => {
    const { faults } = service.settings;
    await delay(faults);
    if (failsByChance(faults, service.random)) {
      return json(500, { status: "error", reason: "failed on request (FAULT_ERROR_RATE)" });
    }
    return await route(service);
  };
}

function json(status: number, body: Readonly<Record<string, unknown>>): Answer {
  return { status, contentType: "application/json", body: `${JSON.stringify(body)}\n` };
}
