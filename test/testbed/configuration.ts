import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** What the user may choose about a bed; everything else follows from it. */
export interface Configuration {
  /** Tells beds on one machine apart: it names the bed's folders, interface and control groups. */
  readonly name: string;
  /** Folder of what is downloaded and built; shared by all beds and kept by `down`. */
  readonly cache: string;
  /**
   * Folder of programs with their own libraries, kept like the cache. It can be reached by users who
   * may not look into the home of the one who runs this: some servers refuse to run as root.
   */
  readonly systems: string;
  /** Folder of everything this bed writes; removed by `down`. */
  readonly state: string;
  /** Port of the registry on the loopback address; undefined means any free one. */
  readonly registryPort: number | undefined;
  /** First three numbers of the subnet between host and node; undefined means any free one. */
  readonly subnet: string | undefined;
}

/** A mistake in the environment or a limit of the machine: something the user can act on. */
export class TestbedError extends Error {
  override readonly name = "TestbedError";
}

const longestState = 60;

/** Reads the configuration from environment variables and reports every mistake at once. */
export function readConfiguration(environment: NodeJS.ProcessEnv): Configuration {
  const problems: string[] = [];
  const set = (variable: string) => environment[variable] || undefined;

  const name = set("SEAWORTHY_TESTBED_NAME") ?? "seaworthy";
  if (!/^[a-z][a-z0-9-]{0,23}$/.test(name)) {
    problems.push(
      `SEAWORTHY_TESTBED_NAME is "${name}": use a to z, 0 to 9 and "-", at most 24 characters, ` +
        "beginning with a letter.",
    );
  }

  const state = resolve(set("SEAWORTHY_TESTBED_STATE") ?? "/var/tmp/seaworthy", name);
  if (state.length > longestState) {
    problems.push(
      `SEAWORTHY_TESTBED_STATE gives ${state}: more than ${longestState} characters do not ` +
        "leave room for the names of Unix sockets. Choose a shorter folder.",
    );
  }
  // The node hides these folders behind its own, so that it never meets another kubelet's files.
  if (
    ["/run", "/var/run", "/var/lib", "/var/log"].some((hidden) => state.startsWith(`${hidden}/`))
  ) {
    problems.push(
      `SEAWORTHY_TESTBED_STATE gives ${state}: choose a folder outside /run, /var/lib and /var/log.`,
    );
  }

  const port = set("SEAWORTHY_TESTBED_REGISTRY_PORT");
  const registryPort = port === undefined ? undefined : Number(port);
  if (registryPort !== undefined && !isPort(registryPort)) {
    problems.push(`SEAWORTHY_TESTBED_REGISTRY_PORT is "${port}": use a number from 1 to 65535.`);
  }

  const subnet = set("SEAWORTHY_TESTBED_SUBNET");
  if (subnet !== undefined && !isSubnet(subnet)) {
    problems.push(
      `SEAWORTHY_TESTBED_SUBNET is "${subnet}": use the first three numbers of a private subnet, ` +
        "for example 10.213.7",
    );
  }

  if (problems.length > 0) throw new TestbedError(problems.join("\n"));
  const cacheHome = set("XDG_CACHE_HOME") ?? join(homedir(), ".cache");
  const cache = resolve(set("SEAWORTHY_TESTBED_CACHE") ?? join(cacheHome, "seaworthy", "testbed"));
  const isShared = set("SEAWORTHY_TESTBED_CACHE") === undefined && process.getuid?.() === 0;
  const systems = isShared ? "/var/cache/seaworthy/systems" : join(cache, "systems");
  return { name, cache, systems, state, registryPort, subnet };
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port < 65536;
}

function isSubnet(subnet: string): boolean {
  const numbers = subnet.split(".").map(Number);
  return numbers.length === 3 && numbers.every((n) => Number.isInteger(n) && n >= 0 && n < 256);
}
