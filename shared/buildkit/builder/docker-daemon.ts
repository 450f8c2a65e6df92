import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { dockerFolder } from "../../registry/index.ts";
import { DEFAULT_DAEMON } from "./notes.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What concerns us of a Docker daemon. */
export interface DockerDaemon {
  readonly version: string;
  /** In its own words, such as `linux/x86_64`. */
  readonly platform: string;
  /** Whether it keeps images with containerd, without which it pushes none by digest. */
  readonly keepsWithContainerd: boolean;
}

interface Info {
  readonly ServerVersion?: string;
  readonly OSType?: string;
  readonly Architecture?: string;
  readonly DriverStatus?: readonly (readonly [string, string])[] | null;
}

const MOST_BYTES = 4 * 1024 * 1024;
const ANSWER_MS = 5_000;

/**
 * Asks the Docker daemon that docker would talk to about itself: a few milliseconds, where
 * `docker info` takes a tenth of a second.
 *
 * @param endpoint the name of a docker context, or an address.
 * @returns undefined where it can only be reached by docker itself (ssh, TLS).
 * @throws what the socket says, where nobody answers.
 */
export async function askDocker(
  endpoint: string,
  environment: Environment,
  signal: AbortSignal,
): Promise<DockerDaemon | undefined> {
  const address = await addressOf(endpoint, environment);
  if (address === undefined) return undefined;
  const text = await get(address, AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]));
  const info = JSON.parse(text) as Info;
  const { ServerVersion = "", OSType = "", Architecture = "", DriverStatus } = info;
  const driver = (DriverStatus ?? []).find(([name]) => name === "driver-type")?.[1] ?? "";
  return {
    version: ServerVersion,
    platform: `${OSType}/${Architecture}`,
    keepsWithContainerd: /^io\.containerd\./.test(driver),
  };
}

type Address = { readonly socketPath: string } | { readonly host: string; readonly port: number };

async function addressOf(endpoint: string, environment: Environment): Promise<Address | undefined> {
  const url = endpoint.includes("://") ? endpoint : await hostOfContext(endpoint, environment);
  if (url === undefined || !URL.canParse(url)) return undefined;
  const { protocol, hostname, port, pathname } = new URL(url);
  if (protocol === "unix:") return { socketPath: pathname };
  const plain = !environment.DOCKER_TLS_VERIFY && !environment.DOCKER_TLS;
  if (protocol !== "tcp:" || !plain || port === "2376") return undefined;
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 2375) };
}

/**
 * The address of a docker context; undefined when there is none of that name. Docker keeps it in a
 * folder called by the hash of the name. Source: docker/cli, metadatastore.go.
 */
export async function hostOfContext(
  name: string,
  environment: Environment,
): Promise<string | undefined> {
  if (name === "default") return environment.DOCKER_HOST || DEFAULT_DAEMON;
  const id = createHash("sha256").update(name).digest("hex");
  const file = join(dockerFolder(environment), "contexts", "meta", id, "meta.json");
  try {
    const meta = JSON.parse(await readFile(file, "utf8")) as {
      Endpoints?: { docker?: { Host?: string } };
    };
    return meta.Endpoints?.docker?.Host;
  } catch {
    return undefined;
  }
}

async function get(address: Address, signal: AbortSignal): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request({ ...address, path: "/info", headers: { Host: "docker" }, agent: false, signal }, resolve)
    .on("error", reject)
    .end();
  const answer = await promise;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error("it answers with more than an engine tells of itself");
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString("utf8");
  if (answer.statusCode !== 200) throw new Error(`it answers ${answer.statusCode}: ${text.trim()}`);
  return text;
}
