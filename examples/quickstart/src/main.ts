import { CRASH_MESSAGE, describeFaults } from "./faults.ts";
import { startServer } from "./server.ts";
import { readSettings, type Settings, SettingsError } from "./settings.ts";
import { nextSignal, shutDown } from "./shutdown.ts";

process.exitCode = await run();

async function run(): Promise<number> {
  // Before anything else: process 1 of a container ignores a SIGTERM that nobody listens to.
  const signal = nextSignal();
  try {
    return await serve(readSettings(process.env), signal);
  } catch (error) {
    console.error(`fatal: ${describe(error)}`);
    return 1;
  }
}

async function serve(settings: Settings, signal: Promise<NodeJS.Signals>): Promise<number> {
  if (settings.faults.crashAtStart) {
    throw new Error(CRASH_MESSAGE);
  }
  const server = await startServer(settings);
  console.log(`${settings.name} ${settings.version} listens on port ${server.port}`);
  for (const line of describeFaults(settings.faults)) {
    console.log(line);
  }
  // Ctrl-C comes from a person at a keyboard: nobody routes to them, so there is nothing to drain.
  const drainSeconds = (await signal) === "SIGINT" ? 0 : settings.drainSeconds;
  return await shutDown(server, drainSeconds);
}

function describe(error: unknown): string {
  if (error instanceof SettingsError) {
    return `cannot start: ${error.message}`;
  }
  return error instanceof Error ? error.message : String(error);
}
