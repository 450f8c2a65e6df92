import { dirname } from "node:path";
import type { Bed } from "./bed.ts";
import type { Tool } from "./piece.ts";

const libraries = ["libgpgme11", "libassuan0", "libsubid4"];

/** Builds images without a daemon. It sees its libraries and rules where a package has them. */
export const buildah: Tool = {
  name: "buildah",
  needs: ["registry"],
  packages: ["buildah", "golang-github-containers-common", ...libraries],
  offers: (bed) => ({ buildah: wrapper(bed) }),
  prepare: async (bed) => {
    const graph = bed.path("buildah", "graph");
    const run = bed.path("buildah", "run");
    const storage = `[storage]\ndriver = "overlay"\ngraphroot = "${graph}"\nrunroot = "${run}"\n`;
    await bed.write(["buildah", "storage.conf"], storage);
    await bed.write(["buildah", "buildah"], script(bed), 0o755);
  },
};

function wrapper(bed: Bed): string {
  return bed.path("buildah", "buildah");
}

/** It calls itself without its environment, so that a path for its libraries would be lost. */
function script(bed: Bed): string {
  const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
  const folder = `/usr/lib/${machine}-linux-gnu`;
  const layers = [...libraries.map((name) => bed.debian(name, folder)), folder].join(":");
  const rules = [bed.debian("golang-github-containers-common", "etc"), "/etc"].join(":");
  const program = bed.debian("buildah", "usr/bin/buildah");
  return `#!/bin/sh
export CONTAINERS_STORAGE_CONF="\${CONTAINERS_STORAGE_CONF:-${dirname(wrapper(bed))}/storage.conf}"
exec unshare --mount --propagation private -- /bin/sh -ec '
mount -t overlay overlay -o "lowerdir=${layers}" ${folder}
mount -t overlay overlay -o "lowerdir=${rules}" /etc
exec "${program}" "$@"' buildah "$@"
`;
}
