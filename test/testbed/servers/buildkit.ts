import type { Bed } from "../bed.ts";
import { makeControlGroups, removeControlGroups } from "../control-groups.ts";
import { buildkit as buildkitModule } from "../modules.ts";
import type { Server } from "../piece.ts";
import { connects } from "../processes.ts";

/** Builds images, on the host's network, so that a build can install packages as the host can. */
export const buildkit: Server = {
  name: "buildkit",
  needs: [],
  modules: [buildkitModule],
  packages: ["runc"],
  start: async (bed) => {
    // A daemon that was killed leaves the containers of its builds behind.
    await removeControlGroups(bed, "buildkit");
    await makeControlGroups(bed);
    const file = await bed.write(["buildkitd.toml"], settings(bed));
    return {
      program: bed.built(buildkitModule, "buildkitd"),
      args: ["--config", file],
      env: {
        PATH: [bed.debian("runc", "usr/sbin"), process.env.PATH, "/usr/sbin:/sbin"].join(":"),
        ...proxies(),
      },
      inside: "mounts",
    };
  },
  ready: (bed) => connects(buildkitSocket(bed)),
};

/** The daemon's Unix socket. */
export function buildkitSocket(bed: Bed): string {
  return bed.path("buildkit", "buildkitd.sock");
}

function settings(bed: Bed): string {
  return `
root = "${bed.path("buildkit", "root")}"

[grpc]
  address = ["unix://${buildkitSocket(bed)}"]

[worker.oci]
  enabled = true
  networkMode = "host"
  snapshotter = "overlayfs"
  rootless = false
  defaultCgroupParent = "${bed.controlGroup}/buildkit"
  gc = false

[worker.containerd]
  enabled = false

[registry."${bed.registry}"]
  http = true
`;
}

/** The daemon pulls and pushes by itself: it needs to know the way out, where there is one. */
function proxies(): Record<string, string> {
  const names = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"];
  const pairs = names.map((name) => [name, process.env[name]] as const);
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => Boolean(pair[1])));
}
