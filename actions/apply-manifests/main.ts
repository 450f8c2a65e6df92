import { run } from "../../shared/action/index.ts";
import { inputs, outputs } from "./inputs.ts";

await run({
  name: "apply-manifests",
  inputs,
  outputs,
  useCase: async () => (await import("./apply-manifests.ts")).applyManifests,
});
