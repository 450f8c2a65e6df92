import { condition, object, verdictTable } from "./verdict-table.ts";

const apiService = (...conditions: readonly object[]) =>
  object("apiregistration.k8s.io/v1", "APIService", { status: { conditions } });
const unavailable = (reason: string, message: string) =>
  apiService(condition("Available", "False", reason, message));

verdictTable("an APIService", [
  ["available", apiService(condition("Available", "True", "Passed")), "ready", ""],
  ["new", apiService(), "progressing", "nobody has tried it yet"],
  [
    "whose Service does not exist",
    unavailable("ServiceNotFound", 'service/metrics in "shop" is not present'),
    "failing",
    "APIServiceUnavailable; its API server does not answer: Available is False (ServiceNotFound",
  ],
  [
    "whose pods are still to come",
    unavailable("MissingEndpoints", "endpoints for service/metrics have no addresses"),
    "progressing",
    "MissingEndpoints",
  ],
  [
    "whose server refuses",
    unavailable("FailedDiscoveryCheck", "bad status 403"),
    "failing",
    "FailedDiscoveryCheck: bad status 403",
  ],
  [
    "of which nothing is known",
    apiService(condition("Available", "Unknown", "Pending")),
    "progressing",
    "Available is Unknown (Pending)",
  ],
]);
