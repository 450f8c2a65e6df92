import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { pause as pauseModule } from "../modules.ts";
import type { Tool } from "../piece.ts";
import { type Image, provide } from "./image.ts";

/** What holds a pod's namespaces open. */
const pause: Image = {
  repository: "testbed/pause",
  tag: "1",
  config: { Entrypoint: ["/pause"] },
  key: () => pauseModule.key,
  fill: (bed, root) => copyFile(bed.built(pauseModule, "pause"), join(root, "pause")),
};

/** The pause image in the registry: the node starts no pod without it. */
export const pauseImage: Tool = {
  name: "pause-image",
  needs: ["registry"],
  modules: [pauseModule],
  prepare: (bed) => provide(bed, pause),
};
