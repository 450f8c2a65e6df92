import { rm } from "node:fs/promises";
import { tail } from "./bed.ts";
import { groups, pieces } from "./catalogue.ts";
import { type Configuration, readConfiguration, TestbedError } from "./configuration.ts";
import { stopServers, takeDown } from "./down.ts";
import { resolveEndpoints, variables } from "./endpoints.ts";
import { isServer } from "./piece.ts";
import { plainReporter, type Reporter, terminalReporter } from "./progress.ts";
import { readStatus } from "./status.ts";
import { bringUp } from "./up.ts";

const usage = `The test bed: real servers on this machine.

  npm run testbed -- up [NAME...]     bring up these, or everything; what runs stays as it is
  npm run testbed -- status           tell how they do
  npm run testbed -- logs NAME        print the log of one
  npm run testbed -- stop NAME...     stop these and what needs them; data stays, "up" goes on
  npm run testbed -- down             take everything down, leaving nothing behind
  npm run testbed -- clean            remove the cache of built programs
  npm run --silent testbed -- env     print variables for a shell: eval "$(...)"

Groups: ${Object.keys(groups).join(", ")}
Servers: ${names(true)}
Others: ${names(false)}
Variables and the rest: docs/testbed.md`;

function names(servers: boolean): string {
  return pieces
    .filter((piece) => isServer(piece) === servers)
    .map(({ name }) => name)
    .join(", ");
}

type Verb = (
  configuration: Configuration,
  args: readonly string[],
  reporter: Reporter,
) => Promise<void>;

const verbs: Readonly<Record<string, Verb>> = {
  up: async (configuration, args, reporter) => {
    await bringUp(configuration, args, reporter, process.env);
  },
  down: async (configuration, _args, reporter) => takeDown(configuration, reporter),
  stop: stopServers,
  status: printStatus,
  logs: printLog,
  env: async () => printVariables(),
  clean: async ({ cache, systems }) => {
    for (const folder of [cache, systems]) await rm(folder, { recursive: true, force: true });
  },
};

async function printStatus(configuration: Configuration): Promise<void> {
  const servers = await readStatus(configuration);
  if (servers.length === 0) console.log(`The test bed ${configuration.name} is not up.`);
  for (const { name, state, pid, lastWords } of servers) {
    const about = state === "ready" ? `process ${pid}` : `its log ends: ${lastWords}`;
    console.log(`${name.padEnd(24)} ${state.padEnd(9)} ${about}`);
  }
  if (servers.some(({ state }) => state !== "ready")) process.exitCode = 1;
}

async function printLog(configuration: Configuration, [name]: readonly string[]): Promise<void> {
  const servers = pieces.filter(isServer).map((piece) => piece.name);
  if (name === undefined || !servers.includes(name)) {
    throw new TestbedError(`Whose log? One of: ${servers.join(", ")}.`);
  }
  for (const line of await tail(`${configuration.state}/logs/${name}.log`, 500)) console.log(line);
}

async function printVariables(): Promise<void> {
  const quoted = (value: string) => `'${value.replaceAll("'", "'\\''")}'`;
  for (const [name, value] of Object.entries(variables(await resolveEndpoints()))) {
    if (value === "") continue;
    console.log(`export ${name}=${quoted(value)}${name === "PATH" ? ':"$PATH"' : ""}`);
  }
}

async function main([verb = "", ...args]: readonly string[]): Promise<void> {
  const action = verbs[verb];
  if (!action) {
    console.error(usage);
    process.exitCode = verb === "" || verb === "help" ? 0 : 2;
    return;
  }
  const reporter = process.stderr.isTTY
    ? terminalReporter(process.stderr)
    : plainReporter((line) => console.error(line));
  await action(readConfiguration(process.env), args, reporter);
}

await main(process.argv.slice(2)).catch((error: unknown) => {
  // A stack helps only where the mistake is ours.
  console.error(error instanceof TestbedError ? error.message : error);
  process.exitCode = 1;
});
