import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { describe } from "../failure/index.ts";
import { Patience } from "./patience.ts";
import { Contradiction, contradictory, unreachable } from "./registry-error.ts";
import type { HttpResponse, HttpStream } from "./request.ts";
import type { Ask, Session } from "./session.ts";

/** Up to this size bytes are read whole before any is given: what comes garbled is asked for again. */
const LARGEST_HELD = 2 * 1024 * 1024;

/**
 * The bytes of a blob as they come; undefined when there is none. A redirect is followed without
 * our credentials. What breaks off is asked for from there on, or from the beginning where the
 * registry sends no parts, what was read before being left out.
 *
 * @param ask for the blob.
 * @param name of its repository, for messages.
 * @throws {UserError} also from the stream: when it cannot be read to its end, or its bytes do not
 * have the digest.
 */
export async function openBlob(
  session: Session,
  ask: Ask,
  name: string,
  digest: string,
): Promise<Readable | undefined> {
  const patience = new Patience(session.clock, true);
  let first = await begin(session, ask, 0);
  while (first !== undefined && isSmall(first)) {
    const bytes = await held(session, ask, name, digest, first, patience);
    if (bytes !== undefined) return Readable.from([bytes], { objectMode: false });
    first = await begin(session, ask, 0);
  }
  if (first === undefined) return undefined;
  return Readable.from(checked(session, ask, name, digest, first), { objectMode: false });
}

interface Begun {
  readonly stream: HttpStream;
  /** How many of its bytes were had before. */
  readonly had: number;
}

async function begin(session: Session, ask: Ask, from: number): Promise<Begun | undefined> {
  const range = from === 0 ? {} : { range: `bytes=${from}-` };
  const asked = { ...ask, headers: { ...ask.headers, ...range } };
  let last: Ask = asked;
  let answer: HttpStream | HttpResponse = await session.open(asked);
  const { location } = answer.headers;
  if (answer.status >= 301 && answer.status <= 308 && location !== undefined) {
    last = { ...asked, where: session.locate(location), scopes: [] };
    answer = await session.open(last);
  }
  if (answer.status === 404 && from === 0) return undefined;
  if ("body" in answer) throw session.refusal(last, answer);
  return { stream: answer, had: answer.status === 206 ? 0 : from };
}

function isSmall({ stream }: Begun): boolean {
  const length = stream.headers["content-length"];
  return length !== undefined && Number(length) <= LARGEST_HELD;
}

/** The bytes of a small blob; undefined when they are others than asked for, and may come right. */
async function held(
  session: Session,
  ask: Ask,
  name: string,
  digest: string,
  first: Begun,
  patience: Patience,
): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  try {
    for await (const piece of checked(session, ask, name, digest, first)) pieces.push(piece);
    return Buffer.concat(pieces);
  } catch (error) {
    if (!(error instanceof Contradiction)) throw error;
    const retry = patience.afterNonsense("sent other bytes than asked for");
    if (retry === undefined) throw error;
    await session.clock.sleep(retry.wait, ask.signal);
    return undefined;
  }
}

async function* checked(
  session: Session,
  ask: Ask,
  name: string,
  digest: string,
  first: Begun,
): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  let read = 0;
  let begun: Begun | undefined = first;
  let patience = new Patience(session.clock, true);
  while (begun !== undefined) {
    let left = begun.had;
    try {
      for await (const piece of begun.stream.pieces) {
        const fresh = piece.subarray(left);
        left -= piece.length - fresh.length;
        if (fresh.length === 0) continue;
        hash.update(fresh);
        read += fresh.length;
        patience = new Patience(session.clock, true);
        yield fresh;
      }
      break;
    } catch (error) {
      ask.signal.throwIfAborted();
      const retry = patience.afterError(error);
      if (retry === undefined) throw brokenOff(session, ask, read, error);
      await session.clock.sleep(retry.wait, ask.signal);
      begun = await begin(session, ask, read);
    }
  }
  const computed = `sha256:${hash.digest("hex")}`;
  if (computed !== digest) throw contradictory(name, digest, digest, computed);
}

function brokenOff(session: Session, { method, where }: Ask, read: number, error: unknown) {
  const url = where instanceof URL ? where : session.locate(where);
  const question = { method, url, scopes: [], as: undefined, given: undefined };
  return unreachable(question, new Error(`after ${read} bytes: ${describe(error)}`));
}
