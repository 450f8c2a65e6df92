import { run } from "../../shared/action/index.ts";
import { inputs, outputs } from "./inputs.ts";

await run({
  name: "helm-upgrade",
  inputs,
  outputs,
  useCase: async () => (await import("./helm-upgrade.ts")).helmUpgrade,
});
