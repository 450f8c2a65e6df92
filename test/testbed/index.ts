import { readConfiguration } from "./configuration.ts";
import { takeDown } from "./down.ts";
import { type Endpoints, resolveEndpoints } from "./endpoints.ts";
import { plainReporter } from "./progress.ts";
import { readStatus, type ServerStatus } from "./status.ts";
import { bringUp } from "./up.ts";

export { TestbedError } from "./configuration.ts";
export { type Endpoints, resolveEndpoints, variables } from "./endpoints.ts";
export type { ServerStatus } from "./status.ts";

export interface TestbedOptions {
  /** Takes lines for people; the default drops them. */
  readonly log?: (line: string) => void;
  /** Where the configuration is read from. */
  readonly environment?: NodeJS.ProcessEnv;
}

/** Brings up these pieces and groups with what they need; quick when they are up already. */
export function up(names: readonly string[], options: TestbedOptions = {}): Promise<Endpoints> {
  const environment = options.environment ?? process.env;
  return bringUp(readConfiguration(environment), names, reporter(options), environment);
}

/** Takes the bed down, leaving nothing but the cache. */
export function down(options: TestbedOptions = {}): Promise<void> {
  return takeDown(readConfiguration(options.environment ?? process.env), reporter(options));
}

/** Tells how the servers do that were brought up. */
export function status(options: TestbedOptions = {}): Promise<ServerStatus[]> {
  return readStatus(readConfiguration(options.environment ?? process.env));
}

/** Where the servers are, without bringing anything up. */
export function endpoints(options: TestbedOptions = {}): Promise<Endpoints> {
  return resolveEndpoints([], options.environment ?? process.env);
}

function reporter(options: TestbedOptions) {
  return plainReporter(options.log ?? (() => undefined));
}
