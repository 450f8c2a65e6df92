import { chmod, copyFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Bed } from "../bed.ts";
import { buildctl as buildctlModule, buildkit as buildkitModule } from "../modules.ts";
import type { Tool } from "../piece.ts";
import { run } from "../run.ts";
import { addBusybox, busybox } from "./busybox.ts";
import { digest, type Image, provide } from "./image.ts";

/** BuildKit as a container of docker or a pod of a cluster runs it. */
export const buildkitInContainer: Image = {
  repository: "testbed/buildkit",
  tag: "1",
  config: { Entrypoint: ["buildkitd"], Env: ["PATH=/usr/local/bin:/usr/bin:/bin"] },
  key: async (bed) =>
    [
      buildkitModule.key,
      buildctlModule.key,
      await digest(runc(bed)),
      await busybox.key(bed),
    ].join(),
  fill: async (bed, root) => {
    await addBusybox(bed, root);
    const bin = join(root, "usr/local/bin");
    await mkdir(bin, { recursive: true });
    await copyFile(bed.built(buildkitModule, "buildkitd"), join(bin, "buildkitd"));
    await copyFile(bed.built(buildctlModule, "buildctl"), join(bin, "buildctl"));
    await copyFile(runc(bed), join(bin, "runc"));
    await chmod(join(bin, "runc"), 0o755);
    const listing = await run("ldd", [runc(bed)]);
    for (const [, library = ""] of listing.matchAll(/(\/\S+) \(0x/g)) {
      await mkdir(join(root, dirname(library)), { recursive: true });
      await copyFile(library, join(root, library));
    }
  },
};

/** The image of BuildKit in the registry. */
export const buildkitImage: Tool = {
  name: "buildkit-image",
  needs: ["registry"],
  modules: [buildkitModule, buildctlModule],
  packages: ["busybox-static", "runc"],
  prepare: (bed) => provide(bed, buildkitInContainer),
};

function runc(bed: Bed): string {
  return bed.debian("runc", "usr/sbin/runc");
}
