import { connect as connectTcp, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls, type PeerCertificate } from "node:tls";
import type { Reply, Way } from "./probe.ts";
import { expectsText, type Redact, type TextExpectation, textMismatches } from "./text.ts";
import type { TlsOptions } from "./trust.ts";
import { explain, Unanswered } from "./unanswered.ts";

/** Where a server listens. */
export interface Address {
  readonly host: string;
  /** 0 where only the way to it knows. */
  readonly port: number;
}

/** A connection to make, and what the server must say over it. */
export interface TcpQuestion {
  readonly address: Address;
  /** Speak TLS, with these options. */
  readonly tls?: TlsOptions | undefined;
  /** What is said to the server first. */
  readonly send?: string | undefined;
  readonly expect: TextExpectation;
}

/** How long a port-forward may take to say that the pod refused the connection. */
const REFUSAL_MS = 1_000;
const LONGEST_TEXT = 64 * 1024;

/** An address as text, with the brackets that IPv6 needs. */
export function addressText({ host, port }: Address): string {
  return `${host.includes(":") ? `[${host}]` : host}${port === 0 ? "" : `:${port}`}`;
}

/**
 * Connects to a server; where something is expected, listens until it was said. A port-forward
 * takes every connection and tells only of a refusal: over one, nothing said for a second after
 * connecting counts as accepted.
 *
 * @throws {Unanswered} when there is no connection, or the server says nothing though it should.
 */
export async function askTcp(
  { address, tls, send, expect }: TcpQuestion,
  { via }: Way,
  { timeout, signal, redact }: { timeout: number; signal: AbortSignal; redact: Redact },
): Promise<Reply> {
  const began = performance.now();
  const name = addressText(address);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
  const socket = connectTo(via ?? address, address.host, tls);
  const heard = new Conversation(socket, limit);
  try {
    await heard.opened(tls !== undefined);
    const connected = performance.now() - began;
    if (send !== undefined) socket.write(send);
    const isGood = (text: string) => textMismatches("", expect, text, redact).length === 0;
    const wanted = expectsText(expect);
    if (wanted) await heard.until(isGood);
    else if (via !== undefined) await heard.silentFor(REFUSAL_MS);
    const reasons = wanted
      ? textMismatches("what the server said", expect, heard.text, redact)
      : [];
    const milliseconds = wanted ? performance.now() - began : connected;
    return { brief: "connected", milliseconds, reasons, text: heard.text, bytes: heard.bytes };
  } catch (error) {
    signal.throwIfAborted();
    if (!limit.aborted) throw explain(error, name);
    throw late(name, timeout, heard);
  } finally {
    socket.destroy();
  }
}

function late(name: string, timeout: number, { isOpen, bytes }: Conversation): Unanswered {
  const seconds = timeout / 1_000;
  const said = bytes === 0 ? "nothing" : `only ${bytes} bytes, without what is expected,`;
  const message = isOpen
    ? `${name} accepted the connection and said ${said} within ${seconds} s`
    : `${name} did not accept a connection within ${seconds} s`;
  return new Unanswered(message, { trouble: "timeout", patience: Infinity });
}

/** Connects to an address; over TLS the server must have a certificate for `host`. */
export function connectTo(
  to: Address,
  host: string,
  tls: TlsOptions | undefined,
  protocols?: readonly string[],
): Socket {
  if (tls === undefined) return connectTcp({ ...to, noDelay: true });
  const servername = tls.servername ?? host;
  return connectTls({
    ...to,
    ...tls,
    // A name only: RFC 6066, section 3. The certificate is held to the address all the same.
    ...(/^[\d.]+$|:/.test(servername) ? { servername: "" } : { servername }),
    ...(to.host === host ? {} : { checkServerIdentity: identityOf(servername) }),
    ...(protocols === undefined ? {} : { ALPNProtocols: [...protocols] }),
  });
}

/** A certificate is held to the name of the server, not to the near end of the way to it. */
function identityOf(name: string) {
  return (_: string, certificate: PeerCertificate) => checkServerIdentity(name, certificate);
}

/** What is heard over a connection. */
class Conversation {
  readonly #socket: Socket;
  readonly #limit: AbortSignal;
  readonly #chunks: Buffer[] = [];
  isOpen = false;
  bytes = 0;

  constructor(socket: Socket, limit: AbortSignal) {
    this.#socket = socket;
    this.#limit = limit;
    // Between two waits nobody else listens.
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      if (this.bytes < LONGEST_TEXT) this.#chunks.push(chunk);
      this.bytes += chunk.length;
    });
  }

  get text(): string {
    return Buffer.concat(this.#chunks).subarray(0, LONGEST_TEXT).toString("utf8");
  }

  async opened(secure: boolean): Promise<void> {
    await this.#wait((done) => {
      this.#socket.once(secure ? "secureConnect" : "connect", done);
    });
    this.isOpen = true;
  }

  /** Until what was said is good, or the server has no more to say. */
  async until(isGood: (text: string) => boolean): Promise<void> {
    await this.#wait((done) => {
      const look = () => (isGood(this.text) || this.bytes >= LONGEST_TEXT) && done();
      this.#socket.on("data", look).once("end", done);
      if (this.#socket.readableEnded) done();
      look();
    });
  }

  /** Until nothing broke the connection for so long, or the server said something. */
  async silentFor(milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    try {
      await this.#wait((done, fail) => {
        void promise.then(done);
        this.#socket.once("data", () => done());
        this.#socket.once("end", () => fail(brokenOff()));
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Settles with the connection's own errors too, and with the limit. */
  async #wait(begin: (done: () => void, fail: (error: unknown) => void) => void): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = () => reject(this.#limit.reason);
    this.#limit.addEventListener("abort", onAbort, { once: true });
    this.#socket.once("error", reject);
    if (this.#limit.aborted) onAbort();
    if (this.#socket.errored) reject(this.#socket.errored);
    begin(resolve, reject);
    try {
      await promise;
    } finally {
      this.#limit.removeEventListener("abort", onAbort);
    }
  }
}

function brokenOff(): Error {
  return Object.assign(new Error("it closed the connection at once"), { code: "ECONNRESET" });
}
