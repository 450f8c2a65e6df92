import type { Bed } from "../bed.ts";
import type { Command, Server } from "../piece.ts";

/** The OCI registry, on the host's loopback address. */
export const registry: Server = {
  name: "registry",
  needs: [],
  packages: ["docker-registry"],
  start: (bed) => serve(bed, "host"),
  ready: async (bed) => {
    const answer = await fetch(`http://${bed.registry}/v2/`).catch(() => undefined);
    return answer?.ok === true;
  },
};

/** Runs the registry over the bed's one storage folder. */
export async function serve(bed: Bed, inside: "host" | "node"): Promise<Command> {
  const settings = {
    version: "0.1",
    log: { level: "warn" },
    storage: {
      filesystem: { rootdirectory: bed.path("registry") },
      delete: { enabled: true },
      // Two processes share the folder: what one remembered, the other could have changed.
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: { addr: bed.registry },
  };
  const file = await bed.write(["registry.json"], JSON.stringify(settings, null, 2));
  return {
    program: bed.debian("docker-registry", "usr/bin/docker-registry"),
    args: ["serve", file],
    // An exporter for traces is looked for unless told not to.
    env: { OTEL_TRACES_EXPORTER: "none" },
    inside,
  };
}
