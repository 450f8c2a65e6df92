import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, UserError } from "../../failure/index.ts";
import { buildxFolder } from "../../registry/index.ts";

type Environment = Readonly<Record<string, string | undefined>>;

// A BuildKit that starts beside the job may need a moment; buildx itself waits longer, and says nothing.
export const UNANSWERED_MS = 5_000;
const DIAL_PAUSE_MS = 250;

/** buildx would wait 20 s for a BuildKit that says nothing, several times over. */
export async function expectAnswer(address: string, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + UNANSWERED_MS;
  for (;;) {
    const error = await dial(address);
    signal.throwIfAborted();
    if (error === undefined) return;
    if (performance.now() >= deadline) throw unanswered(address, error);
    await delay(DIAL_PAUSE_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** The failure of a BuildKit that nobody can reach. */
export function unanswered(address: string, error: Error): UserError {
  return new UserError(
    {
      title: "BuildKit cannot be reached",
      cause: `BuildKit at ${address} did not answer for ${UNANSWERED_MS / 1_000} s: ${describe(error)}.`,
      remedy: "Check that it runs and that this runner may connect to it.",
    },
    { reason: error },
  );
}

/** Where a builder's BuildKit listens, as far as buildx's own notes tell. */
export async function endpointOf(
  builder: string | undefined,
  environment: Environment,
): Promise<string | undefined> {
  const folder = buildxFolder(environment);
  try {
    const named = builder ?? environment.BUILDX_BUILDER;
    const name = named ?? (await readJson<{ Name?: string }>(join(folder, "current"))).Name ?? "";
    if (!/^[\w.-]+$/.test(name)) return undefined;
    const { Nodes } = await readJson<{ Nodes?: { Endpoint?: string }[] }>(
      join(folder, "instances", name),
    );
    return Nodes?.[0]?.Endpoint;
  } catch {
    // These notes are buildx's private affair; without them the message says less, no more.
    return undefined;
  }
}

async function readJson<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(file, "utf8")) as T;
}

// An HTTP/2 client speaks first (RFC 9113, section 3.4): its preface, and settings, here none.
const GREETING = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", "latin1");

/**
 * Why nobody answers at an address (`unix:///...`, `tcp://...`); undefined when somebody does.
 * BuildKit speaks gRPC, so that it answers a greeting at once; whoever wants TLS hangs up on it,
 * which is an answer too.
 */
export function dial(address: string, milliseconds = 3_000): Promise<Error | undefined> {
  const target = socketOf(address);
  if (target === undefined) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const socket = connect(target);
    const finish = (error?: Error) => {
      socket.destroy();
      resolve(error);
    };
    socket.setTimeout(milliseconds, () =>
      finish(
        new Error(
          `${connected ? "it takes connections, and says nothing" : "no answer"} for ${milliseconds / 1_000} s`,
        ),
      ),
    );
    let connected = false;
    socket.once("connect", () => {
      connected = true;
      socket.write(GREETING);
    });
    socket.once("data", () => finish()).once("end", () => finish());
    socket.once("error", (error) => finish(connected ? undefined : error));
  });
}

/** Where a `unix://` or `tcp://` address points; undefined for others. */
export function socketOf(
  address: string,
): { path: string } | { host: string; port: number } | undefined {
  if (!URL.canParse(address)) return undefined;
  const { protocol, hostname, port, pathname } = new URL(address);
  if (protocol === "unix:") return { path: pathname };
  const host = hostname.replace(/^\[|\]$/g, "");
  return protocol === "tcp:" && port !== "" ? { host, port: Number(port) } : undefined;
}
