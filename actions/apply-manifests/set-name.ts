import { UserError } from "../../shared/failure/index.ts";
import type { Options } from "./inputs.ts";

/** What is put onto workloads of a namespace without manifests is one set unless it has a name. */
const LIVE = "live";

/**
 * The name of the set.
 *
 * @throws {UserError} with manifests and no name: two repositories that deploy into one namespace
 * would delete each other's objects.
 */
export function setName({ name, manifests, content }: Options): string {
  if (name !== undefined) return name;
  if (manifests === undefined && content === undefined) return LIVE;
  throw new UserError({
    title: "The set has no name",
    cause: "name is missing; what belongs to the set, its history and its lock are kept under it.",
    remedy: "Name what these manifests deploy, as in `name: shop`; nothing was changed.",
  });
}
