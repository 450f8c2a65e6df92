import { parseArgs } from "node:util";
import { nearestName, UserError } from "../shared/failure/index.ts";
import { FAULT_NAMES, type FaultName } from "./faults.ts";

/** What the demo was asked to do. */
export interface Arguments {
  readonly task: "run" | "down" | "help";
  readonly faults: readonly FaultName[];
  /** End with one line of JSON on standard output; the story then goes to standard error. */
  readonly json: boolean;
  /** Servers of the user's own, as the test bed's environment variables name them. */
  readonly environment: Readonly<Record<string, string>>;
}

export const USAGE = `Ships a sample service, breaks it, and shows how the pipeline catches it.

  npm run demo                      version 1, then a version 2 whose image is missing
  npm run demo -- --fault NAME      another way to break it: ${FAULT_NAMES.join(", ")}, or all of them
  npm run demo -- --json            end with one line of JSON on standard output
  npm run demo -- --down            remove everything that the demo has set up

It brings up a cluster and a registry of its own on this machine (Linux, as root). To use yours:

  --kubeconfig FILE                 the cluster (or SEAWORTHY_KUBECONFIG)
  --registry HOST/PATH              a registry that you may push to and the cluster pulls from
                                    (or SEAWORTHY_REGISTRY)
  --buildkit ADDRESS                a BuildKit to build with, in place of docker's current builder
                                    (or SEAWORTHY_BUILDKIT)
  --base-image IMAGE                an image with Node 24 and npm, in place of the public one
                                    (or SEAWORTHY_BASE_IMAGE)`;

const OPTIONS = {
  fault: { type: "string" },
  json: { type: "boolean" },
  down: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  kubeconfig: { type: "string" },
  registry: { type: "string" },
  buildkit: { type: "string" },
  "base-image": { type: "string" },
} as const;

const VARIABLES = {
  kubeconfig: "SEAWORTHY_KUBECONFIG",
  registry: "SEAWORTHY_REGISTRY",
  buildkit: "SEAWORTHY_BUILDKIT",
  "base-image": "SEAWORTHY_BASE_IMAGE",
} as const;

/**
 * Reads the command line.
 *
 * @throws {UserError} for an option or a fault that there is not, with the nearest name.
 */
export function readArguments(args: readonly string[]): Arguments {
  refuseUnknown(args);
  const { values } = parseArgs({ args: [...args], options: OPTIONS, strict: false });
  const named = Object.entries(VARIABLES).flatMap(([option, variable]) => {
    const value = values[option];
    return typeof value === "string" ? [[variable, value] as const] : [];
  });
  return {
    task: values.help === true ? "help" : values.down === true ? "down" : "run",
    faults: readFaults(values.fault),
    json: values.json === true,
    environment: Object.fromEntries(named),
  };
}

function readFaults(wanted: string | boolean | undefined): readonly FaultName[] {
  if (wanted === undefined) return ["image"];
  if (wanted === "all") return FAULT_NAMES;
  const found = FAULT_NAMES.find((name) => name === wanted);
  if (found !== undefined) return [found];
  const near =
    typeof wanted === "string" ? nearestName(wanted, [...FAULT_NAMES, "all"]) : undefined;
  throw new UserError({
    title: "No such fault",
    cause: `--fault got ${JSON.stringify(wanted)}${near === undefined ? "" : `; did you mean ${near}?`}`,
    remedy: `Choose one of ${FAULT_NAMES.join(", ")}, or all.`,
  });
}

function refuseUnknown(args: readonly string[]): void {
  const { tokens } = parseArgs({ args: [...args], options: OPTIONS, strict: false, tokens: true });
  const names = Object.keys(OPTIONS);
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    const given = token.kind === "option" ? token.name : token.value;
    const known = token.kind === "option" && names.includes(given);
    const valued = token.kind === "option" && known && needsValue(given);
    if (known && !(valued && token.value === undefined)) continue;
    const near = nearestName(given, names);
    throw new UserError({
      title: "The demo does not understand its command line",
      cause: known
        ? `--${given} needs a value.`
        : `There is no option ${JSON.stringify(given)}${near === undefined ? "" : `; did you mean --${near}?`}`,
      remedy: "Run: npm run demo -- --help",
    });
  }
}

function needsValue(name: string): boolean {
  return OPTIONS[name as keyof typeof OPTIONS].type === "string";
}
