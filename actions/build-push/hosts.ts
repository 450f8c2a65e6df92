import { parseRegistry } from "../../shared/images/index.ts";
import type { Options } from "./inputs.ts";
import { placesOf } from "./places.ts";
import type { Order } from "./sources.ts";

/**
 * The registries that the step's images go to, each once. The first is that of the inputs username
 * and password: the one that the input registry names, else that of the first service.
 */
export function hostsOf(
  { services }: Pick<Order, "services">,
  { registry = "" }: Pick<Options, "registry">,
): readonly string[] {
  const named = parseRegistry(registry);
  const hosts = services.flatMap(placesOf).map(({ repository }) => repository.host);
  return [
    ...new Set("host" in named && hosts.includes(named.host) ? [named.host, ...hosts] : hosts),
  ];
}
