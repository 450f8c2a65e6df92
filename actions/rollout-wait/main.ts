import { run } from "../../shared/action/index.ts";
import { inputs, outputs } from "./inputs.ts";

await run({
  name: "rollout-wait",
  inputs,
  outputs,
  useCase: async () => (await import("./rollout-wait.ts")).rolloutWait,
});
