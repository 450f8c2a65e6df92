import { run } from "../../shared/action/index.ts";
import { inputs, outputs } from "./inputs.ts";

await run({
  name: "prune-images",
  inputs,
  outputs,
  useCase: async () => (await import("./prune-images.ts")).pruneImages,
});
