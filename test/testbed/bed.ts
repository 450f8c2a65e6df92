import { mkdir, open, readFile, rename, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { dirname, join } from "node:path";
import { builtFolder, type GoModule } from "./build/go-module.ts";
import { type System, systemFolder } from "./build/system.ts";
import { type Configuration, TestbedError } from "./configuration.ts";

/** Addresses that were chosen when the bed was first brought up, and hold until it is taken down. */
export interface Addresses {
  readonly registryPort: number;
  /** The host's end of the link between host and node. */
  readonly host: string;
  /** The node's end: its address in the cluster, and the API server's. */
  readonly node: string;
}

/** One test bed: where it keeps what, and under which addresses its servers are found. */
export class Bed {
  readonly name: string;
  readonly cache: string;
  readonly systems: string;
  readonly state: string;
  readonly addresses: Addresses;

  constructor(configuration: Configuration, addresses: Addresses) {
    this.name = configuration.name;
    this.cache = configuration.cache;
    this.systems = configuration.systems;
    this.state = configuration.state;
    this.addresses = addresses;
  }

  /** A file or folder of this bed. */
  path(...names: string[]): string {
    return join(this.state, ...names);
  }

  /** A file of an unpacked Debian package. */
  debian(name: string, file: string): string {
    return join(this.cache, "debian", name, file);
  }

  /** A file or folder of a system. */
  system(system: System, file: string): string {
    return join(systemFolder(this.systems, system), file);
  }

  /** A file of a built Go module. */
  built(module: GoModule, file: string): string {
    return join(builtFolder(this.cache, module), file);
  }

  /** Writes one of the bed's files, making its folder. */
  async write(names: readonly string[], text: string, mode = 0o600): Promise<string> {
    const file = this.path(...names);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { mode });
    return file;
  }

  /** Where pods, and who calls them from the host, find the images of this bed. */
  get registry(): string {
    return `127.0.0.1:${this.addresses.registryPort}`;
  }

  /** Address of the API server. */
  get server(): string {
    return `https://${this.addresses.node}:6443`;
  }

  /** Control group, below every controller's root, that holds the bed's containers. */
  get controlGroup(): string {
    return `seaworthy-${this.name}`;
  }
}

/** Opens the bed of this configuration, choosing its addresses if it has none yet. */
export async function openBed(configuration: Configuration): Promise<Bed> {
  const file = join(configuration.state, "addresses.json");
  const kept = await readAddresses(configuration.state);
  if (kept) return new Bed(configuration, kept);

  const subnet = configuration.subnet ?? freeSubnet(configuration.name, takenSubnets());
  const addresses: Addresses = {
    registryPort: await freePort(configuration),
    host: `${subnet}.1`,
    node: `${subnet}.2`,
  };
  await mkdir(configuration.state, { recursive: true, mode: 0o711 });
  // Written beside and moved over, so that a kill in between never leaves half a file.
  await writeFile(`${file}.new`, JSON.stringify(addresses));
  await rename(`${file}.new`, file);
  return new Bed(configuration, addresses);
}

/** The addresses of a bed that was brought up before; undefined if there is none. */
export async function readAddresses(state: string): Promise<Addresses | undefined> {
  const text = await readFile(join(state, "addresses.json"), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Addresses);
}

/** A subnet that no interface of the host is in; which one is tried first depends on the name. */
export function freeSubnet(name: string, taken: ReadonlySet<string>): string {
  const first = hash(name);
  for (let step = 0; step < 256; step++) {
    const subnet = `10.213.${(first + step) % 256}`;
    if (!taken.has(subnet)) return subnet;
  }
  throw new TestbedError(
    "Every subnet from 10.213.0 to 10.213.255 is in use. Set SEAWORTHY_TESTBED_SUBNET to the " +
      "first three numbers of a free one.",
  );
}

function takenSubnets(): Set<string> {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return new Set(addresses.map(({ address }) => address.split(".").slice(0, 3).join(".")));
}

async function freePort({ name, registryPort }: Configuration): Promise<number> {
  if (registryPort !== undefined) {
    if (await isFree(registryPort)) return registryPort;
    throw new TestbedError(
      `Port ${registryPort} of 127.0.0.1 is in use by another program. Set ` +
        "SEAWORTHY_TESTBED_REGISTRY_PORT to a free one, or unset it to have one chosen.",
    );
  }
  // Below the range from which the kernel takes the ports of outgoing connections.
  const first = 5100 + (hash(name) % 800);
  for (let port = first; port < first + 100; port++) if (await isFree(port)) return port;
  throw new TestbedError(
    `The ports ${first} to ${first + 99} of 127.0.0.1 are all in use. Set ` +
      "SEAWORTHY_TESTBED_REGISTRY_PORT to a free one.",
  );
}

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const probe = createServer();
    probe.once("error", () => done(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => done(true)));
  });
}

function hash(text: string): number {
  let sum = 0;
  for (const character of text) sum = (sum * 31 + character.charCodeAt(0)) % 65521;
  return sum;
}

/** The last lines of a file, read from its end, for messages. */
export async function tail(file: string, lines: number): Promise<string[]> {
  const handle = await open(file).catch(() => undefined);
  if (!handle) return [];
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, 64 * 1024);
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    const text = buffer.toString("utf8").trimEnd();
    return text === "" ? [] : text.split("\n").slice(-lines);
  } finally {
    await handle.close();
  }
}
