import type { PlannedService } from "./planned.ts";

/** Where a service's image goes, with the tags that it gets there: its repository first, then its mirrors. */
export function placesOf(service: Pick<PlannedService, "repository" | "tags" | "mirrors">) {
  return [{ repository: service.repository, tags: service.tags }, ...service.mirrors];
}
