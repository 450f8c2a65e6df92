import { run } from "../../../../shared/action/index.ts";
import { inputs, outputs } from "./inputs.ts";

await run({
  name: "probe",
  inputs,
  outputs,
  useCase: async () => (await import("./probe.ts")).probe,
});
