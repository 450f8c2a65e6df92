import type { Server } from "../piece.ts";
import { listens } from "../processes.ts";
import { registry, serve } from "./registry.ts";

/**
 * The same registry once more, on the node's own loopback address: an image has one name, plain
 * HTTP and all, for who pushes it on the host and for the node that pulls it.
 */
export const nodeRegistry: Server = {
  name: "node-registry",
  needs: ["node", "registry"],
  packages: registry.packages ?? [],
  start: (bed) => serve(bed, "node"),
  ready: (bed, pid) => listens(pid, bed.addresses.registryPort),
};
