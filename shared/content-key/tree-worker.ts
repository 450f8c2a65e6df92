import { createHash } from "node:crypto";
import fs from "node:fs";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import {
  type Hashed,
  type Helper,
  type Item,
  type Kind,
  makeTreeReader,
  type Piece,
  type TreeReading,
  type TreeRequest,
} from "./tree-reader.ts";

/** The processor time of this process, in milliseconds: what others do meanwhile does not count. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Reads a tree in this thread, and blocks it meanwhile. */
export const { readTree, ruleAgainst } = makeTreeReader({ fs, createHash, now: processorTime });

/** What a worker is started with. */
interface Assignment {
  readonly request: TreeRequest;
  /** For the one who walks: where those are who help. For a helper: undefined. */
  readonly helpers: readonly Line[] | undefined;
  /** For a helper: where the pieces come from. */
  readonly line: Line | undefined;
}

/** A piece on its way: each item's kind, a space and its path, with zero bytes between. */
interface Packed extends Omit<Piece, "items"> {
  readonly text: string;
}

/** From the one who walks to a helper. */
interface Line {
  readonly port: MessagePort;
  /** How many pieces the helper has done. */
  readonly done: Int32Array;
}

/** What a file system says of a path, as far as it can be sent from a worker. */
interface TreeError {
  readonly code: string | undefined;
  readonly path: string | undefined;
  readonly message: string;
}

type Answer = { readonly found: TreeReading | Hashed } | { readonly error: TreeError };

/**
 * What a worker does. Like the reader itself it is sent as text, and uses nothing but its parameters
 * and what is global everywhere.
 */
function work(
  { request, helpers, line }: Assignment,
  { readTree: read, makeHasher }: ReturnType<typeof makeTreeReader>,
  answer: (answer: Answer) => void,
): void {
  /** So many pieces may wait for a helper: it is never without work, and memory stays bounded. */
  const MOST_WAITING = 4;

  function guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      const { code, path, message } = error as NodeJS.ErrnoException;
      answer({ error: { code, path: path === undefined ? path : String(path), message } });
    }
  }

  /** One text is sent far faster than a list of lists. No path has a zero byte in it. */
  function packed(piece: Piece): Piece | Packed {
    const { items, ...rest } = piece;
    if (items.some(([, path]) => typeof path !== "string")) return piece;
    return { ...rest, text: items.map(([kind, path]) => `${kind} ${path}`).join("\0") };
  }

  function unpacked(piece: Piece | Packed): Piece {
    if (!("text" in piece)) {
      // Bytes arrive without the methods of a Buffer.
      const items = piece.items.map(
        ([kind, path]) => [kind, typeof path === "string" ? path : Buffer.from(path)] as const,
      );
      return { ...piece, items };
    }
    const items = piece.text.split("\0").map((line): Item => {
      const space = line.indexOf(" ");
      return [line.slice(0, space) as Kind, line.slice(space + 1)];
    });
    return { ...piece, items };
  }

  function helperAt({ port, done }: Line): Helper {
    let given = 0;
    return {
      isBusy: () => given - Atomics.load(done, 0) >= MOST_WAITING,
      take: (piece) => {
        given += 1;
        port.postMessage(packed(piece));
      },
    };
  }

  if (helpers !== undefined) {
    guard(() => {
      answer({ found: read(request, helpers.map(helperAt)) });
      for (const { port } of helpers) port.postMessage(undefined);
    });
    return;
  }
  const hasher = makeHasher(request);
  line?.port.on("message", (piece: Piece | Packed | undefined) =>
    guard(() => {
      if (piece === undefined) {
        answer({ found: { chunks: hasher.chunks, linked: hasher.linked } });
        line.port.close();
        return;
      }
      hasher.hash(unpacked(piece));
      Atomics.add(line.done, 0, 1);
    }),
  );
}

/**
 * The program of a worker. It is made of the functions' own text, so that a bundle needs no second
 * file, and the code that reads large trees is the very code that reads small ones.
 */
const program = () => `
  const { parentPort, workerData } = require("node:worker_threads");
  const fs = require("node:fs");
  const { createHash } = require("node:crypto");
  const reader = (${makeTreeReader})({ fs, createHash, now: () => 0 });
  (${work})(workerData, reader, (answer) => parentPort.postMessage(answer));`;

/**
 * Reads a tree in threads of their own: one walks, and all hash.
 *
 * @throws the error of the file system, or the signal's.
 */
export async function readTreeAside(
  request: TreeRequest,
  threads: number,
  signal: AbortSignal,
): Promise<{ readonly walked: TreeReading; readonly hashed: readonly Hashed[] }> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const channels = Array.from({ length: threads - 1 }, () => new MessageChannel());
  const lines = channels.map(({ port1, port2 }) => {
    const done = new Int32Array(new SharedArrayBuffer(4));
    return { give: { port: port1, done }, get: { port: port2, done } };
  });
  const helpers = lines.map(({ give }) => give);
  try {
    const walking = answerOf<TreeReading>({ request, helpers, line: undefined }, either);
    const hashing = lines.map(({ get }) =>
      answerOf<Hashed>({ request, helpers: undefined, line: get }, either),
    );
    const [walked, ...hashed] = await Promise.all([walking, ...hashing]);
    return { walked, hashed };
  } finally {
    // When one fails, the others have nothing left to do.
    stop.abort();
  }
}

function answerOf<T extends Hashed>(assignment: Assignment, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const { helpers = [], line } = assignment;
    const worker = new Worker(program(), {
      eval: true,
      workerData: assignment,
      transferList: [...helpers, ...(line === undefined ? [] : [line])].map(({ port }) => port),
      // None of the process's own flags and modules: a reader starts in a few milliseconds.
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 256 },
    });
    const abort = () => settle(() => reject(signal.reason));
    const settle = (answer: () => void) => {
      signal.removeEventListener("abort", abort);
      answer();
      void worker.terminate();
    };
    signal.addEventListener("abort", abort);
    worker.once("message", (answer: Answer) => {
      if ("error" in answer) settle(() => reject(asError(answer.error)));
      else resolve(answer.found as T);
    });
    worker.once("error", (error) => settle(() => reject(error)));
    worker.once("exit", () => settle(() => reject(new Error("a worker ended without an answer"))));
  });
}

function asError({ code, path, message }: TreeError): Error {
  return Object.assign(new Error(message), { code, path });
}
