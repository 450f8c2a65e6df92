import { run } from "../../shared/action/index.ts";
import { inputs, outputs } from "./inputs.ts";

await run({
  name: "setup-tools",
  inputs,
  outputs,
  useCase: async () => (await import("./setup-tools.ts")).setupTools,
});
