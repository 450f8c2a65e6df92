import { connect as connectPlain, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls } from "node:tls";
import { codeOf, describe, UserError } from "../failure/index.ts";
import { type Address, placeOf } from "./address.ts";
import { Closed, NoRedis, RedisRefusal, RespConnection } from "./resp.ts";
import type { RedisSettings } from "./settings.ts";

const CONNECT_MS = 15_000;

/** How servers of one deployment are reached: what stays the same from one node to the next. */
export interface Access extends Pick<RedisSettings, "ca" | "clientCertificate" | "clientKey"> {
  /** The name that the certificate must have, where the address is that of a tunnel. */
  readonly serverName?: string | undefined;
  /** For messages, in place of the address. */
  readonly subject?: string | undefined;
  /** How long a server may be silent while it works, in milliseconds; 0 for as long as it likes. */
  readonly silence?: number | undefined;
  /** What went wrong on the way, where there is a tunnel. */
  readonly trouble?: (() => string | undefined) | undefined;
}

/**
 * Connects to a server and signs in.
 *
 * @throws {UserError} where nobody answers, the certificate does not hold, or the server lets
 * nobody in; the signal's reason when it aborts.
 */
export async function openRedis(
  address: Address,
  access: Access,
  signal: AbortSignal,
): Promise<RespConnection> {
  signal.throwIfAborted();
  const subject = access.subject ?? placeOf(address);
  const socket = await connected(address, access, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw unreachable(error, subject, address, access);
  });
  const onAbort = () => socket.destroy(signal.reason as Error);
  signal.addEventListener("abort", onAbort, { once: true });
  socket.once("close", () => signal.removeEventListener("abort", onAbort));
  const redis = new RespConnection(socket, access.silence);
  try {
    await signIn(redis, address, subject);
    return redis;
  } catch (error) {
    redis.close();
    signal.throwIfAborted();
    if (error instanceof UserError) throw error;
    throw unreachable(error, subject, address, access);
  }
}

async function connected(address: Address, access: Access, signal: AbortSignal): Promise<Socket> {
  const { host, port, socket: path } = address;
  const socket = address.tls
    ? connectTls({
        host,
        port,
        ...(/^[\d.]+$|:/.test(access.serverName ?? host)
          ? {}
          : { servername: access.serverName ?? host }),
        ...(access.serverName === undefined
          ? {}
          : {
              checkServerIdentity: (_: string, certificate) =>
                checkServerIdentity(access.serverName ?? host, certificate),
            }),
        ca: access.ca,
        cert: access.clientCertificate,
        key: access.clientKey,
      })
    : path === undefined
      ? connectPlain({ host, port })
      : connectPlain({ path });
  // After it is connected, errors reach whoever reads; without a listener they would end the process.
  socket.on("error", () => {});
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const timer = setTimeout(
    () => reject(new Error(`it did not answer within ${CONNECT_MS / 1000} s`)),
    CONNECT_MS,
  );
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  socket.once(address.tls ? "secureConnect" : "connect", () => resolve(socket));
  socket.once("error", reject);
  try {
    return await promise;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

async function signIn(redis: RespConnection, address: Address, subject: string): Promise<void> {
  const { user, password } = address;
  try {
    if (password !== undefined) {
      await redis.ask(...(user === undefined ? ["AUTH", password] : ["AUTH", user, password]));
    }
    await redis.ask("PING");
  } catch (error) {
    if (error instanceof RedisRefusal) throw notLetIn(error, subject, address);
    throw error;
  }
}

function notLetIn({ code, message }: RedisRefusal, subject: string, address: Address): UserError {
  const title = `Redis at ${subject} lets nobody in`;
  const refusal = (cause: string, remedy: string) => new UserError({ title, cause, remedy });
  const said = `It says: ${message}`;
  if (code === "LOADING") {
    return new UserError({
      title: `Redis at ${subject} is still loading its data`,
      cause: said,
      remedy: "Wait until it has loaded, and run this again.",
    });
  }
  if (code === "DENIED") {
    return refusal(
      "It is in protected mode, in which it talks to its own machine only.",
      "Give its users passwords (ACL SETUSER, or requirepass), or reach it from its own machine or through its pod.",
    );
  }
  if (code === "NOAUTH") {
    return refusal(`It wants a password, and none was given. ${said}`, "Give the password.");
  }
  if (code === "NOPERM") {
    return refusal(said, "Allow that user the commands ping, info, replconf, psync and sync.");
  }
  if (/called without any password|no password is set/.test(message)) {
    return refusal(
      "A password was given, and the server wants none for its default user.",
      "Leave the password out, or give the name of the user that it belongs to.",
    );
  }
  if (code === "WRONGPASS" || /invalid password/.test(message)) {
    const who = address.user === undefined ? "The password" : `The password of ${address.user}`;
    return refusal(`${who} is wrong, or that user is disabled. ${said}`, "Correct the password.");
  }
  if (/max number of clients/.test(message)) {
    return refusal(said, "Raise its maxclients, or run this when fewer are connected.");
  }
  return refusal(said, "See what the message says.");
}

function unreachable(error: unknown, subject: string, address: Address, access: Access): UserError {
  const trouble = access.trouble?.();
  const how =
    trouble ??
    (error instanceof NoRedis || error instanceof Closed ? error.message : describe(error));
  return new UserError(
    {
      title: `Redis at ${subject} cannot be reached`,
      cause: `${how[0]?.toUpperCase() ?? ""}${how.slice(1).replace(/\.$/, "")}.`,
      remedy: remedyFor(error, address),
    },
    { reason: error },
  );
}

function remedyFor(error: unknown, { tls }: Address): string {
  const code = codeOf(error) ?? "";
  if (error instanceof NoRedis || /WRONG_VERSION_NUMBER|PACKET_LENGTH|EPROTO/.test(code)) {
    return tls
      ? "See whether the port is the server's, and whether it speaks TLS there; redis:// is without."
      : "See whether the port is the server's, and whether it wants TLS there: rediss://.";
  }
  if (error instanceof Closed || code === "ECONNRESET") {
    return tls
      ? "See whether the server asks for a client's certificate."
      : "See whether the server wants TLS there (rediss://), or its log for why it closes connections.";
  }
  if (/CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE/.test(code)) {
    return "The server asks for a client's certificate: give it, and its key.";
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code)) {
    return "Give the certificate of the authority that signed the server's, and the host by a name that the certificate has.";
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "Correct the host's name.";
  if (code === "ECONNREFUSED")
    return "See whether the server runs there, and whether the port is right.";
  return "See whether this machine can reach it: address, port, firewall.";
}
