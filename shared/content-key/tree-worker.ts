import { createHash } from "node:crypto";
import fs from "node:fs";
import { Worker } from "node:worker_threads";
import { makeTreeReader, type TreeReading, type TreeRequest } from "./tree-reader.ts";

/** Reads a tree in this thread, and blocks it meanwhile. */
export const { readTree, ruleAgainst } = makeTreeReader({
  fs,
  createHash,
  now: () => performance.now(),
});

type Answer = { readonly reading: TreeReading } | { readonly error: TreeError };

/** What a file system says of a path, as far as it can be sent from a worker. */
export interface TreeError {
  readonly code: string | undefined;
  readonly path: string | undefined;
  readonly message: string;
}

/**
 * The program of a worker. It is made of the reader's own text, so that a bundle needs no second
 * file, and the code that reads large trees is the very code that reads small ones.
 */
function program(): string {
  return `
    const { parentPort, workerData } = require("node:worker_threads");
    const fs = require("node:fs");
    const { createHash } = require("node:crypto");
    const { readTree } = (${makeTreeReader})({ fs, createHash, now: () => performance.now() });
    try {
      parentPort.postMessage({ reading: readTree(workerData) });
    } catch (error) {
      const { code, path, message } = error;
      parentPort.postMessage({ error: { code, path: path && String(path), message } });
    }`;
}

/** Reads a tree in a thread of its own. @throws the error of the file system, or the signal's. */
export function readTreeAside(request: TreeRequest, signal: AbortSignal): Promise<TreeReading> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const worker = new Worker(program(), {
      eval: true,
      workerData: request,
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
    worker.once("message", (answer: Answer) =>
      settle(() => ("reading" in answer ? resolve(answer.reading) : reject(asError(answer.error)))),
    );
    worker.once("error", (error) => settle(() => reject(error)));
    worker.once("exit", () =>
      settle(() => reject(new Error("the worker ended without an answer"))),
    );
  });
}

function asError({ code, path, message }: TreeError): Error {
  return Object.assign(new Error(message), { code, path });
}
