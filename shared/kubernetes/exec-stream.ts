import { Readable, Writable } from "node:stream";
import { UserError } from "../failure/index.ts";
import { type ChannelSocket, openChannels } from "./channel-socket.ts";
import type { Cluster } from "./cluster.ts";
import { connectingTo, type Exec, type ExecResult, outcomeOf } from "./exec.ts";

/** How a streaming program in a container ended. */
export interface ExecEnd extends Pick<ExecResult, "exitCode" | "message"> {
  /** The end of its standard error. */
  readonly stderr: string;
}

/** A program that runs in a container. It waits for whoever reads its output. */
export interface RunningExec {
  /**
   * Its end is passed on by servers since Kubernetes 1.30 (v5.channel.k8s.io). With older ones
   * `end()` fails this stream, for they can end an input only together with the connection.
   */
  readonly stdin: Writable;
  /** Ends with the connection, whole or not: `ended` tells which. */
  readonly stdout: Readable;
  /** Never rejects; the rest of the output may still have to be read then. */
  readonly ended: Promise<ExecEnd>;
  /** Hangs up. The program's input ends; the program itself may go on. */
  hangUp(): void;
}

const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, close: 255 } as const;
/** What fits into one message for every server on the way. */
const LONGEST_MESSAGE = 32 * 1024;
const LONGEST_STDERR = 16 * 1024;
/** Balancers and proxies drop what is silent for a minute or more. */
const PING_MS = 25_000;

/**
 * Starts a program in a container, and hands its streams over; whoever reads or writes slowly is
 * waited for. When the signal aborts the connection is closed; the program itself may go on.
 *
 * Source: k8s.io/apimachinery/pkg/util/remotecommand/constants.go.
 *
 * @throws {ApiError} when the API server refuses (permission, no such pod), {UserError} otherwise.
 */
export async function startExec(
  cluster: Cluster,
  exec: Exec & { readonly input: boolean },
  signal: AbortSignal,
): Promise<RunningExec> {
  const { promise: ended, resolve: end } = Promise.withResolvers<ExecEnd>();
  let channels: ChannelSocket | undefined;
  let status = "";
  let stderr = "";
  let drained: (() => void) | undefined;
  let pinging: NodeJS.Timeout | undefined;
  const stdout = new Readable({
    read: () => channels?.resume(),
    // Nobody reads any more: what still comes is let go by, so that the end is heard of.
    destroy(error, done) {
      channels?.resume();
      done(error);
    },
  });
  const listener = {
    message(channel: number, payload: Buffer) {
      if (channel === CHANNEL.stdout && payload.length > 0 && !stdout.destroyed) {
        if (!stdout.push(payload)) channels?.pause();
      }
      if (channel === CHANNEL.stderr) stderr = (stderr + payload).slice(-LONGEST_STDERR);
      if (channel === CHANNEL.error) status += payload.toString();
    },
    closed(broken: Error | undefined) {
      clearInterval(pinging);
      signal.removeEventListener("abort", hangUp);
      end({ ...outcomeOf(status, broken), stderr });
      if (!stdout.destroyed) stdout.push(null);
      drained?.();
      stdin.destroy();
    },
  };
  const hangUp = () => {
    channels?.close();
    // It may have been paused for a reader who is gone.
    channels?.resume();
  };
  const stdin = new Writable({
    write(chunk: Buffer, _encoding, done) {
      drained = done;
      if (sendAll(channels, chunk)) settle();
    },
    final(done) {
      if (channels?.protocol !== "v5.channel.k8s.io") return done(cannotEndInput());
      channels.send(CHANNEL.close, Buffer.from([CHANNEL.stdin]));
      done();
    },
  });
  stdin.on("error", () => {});
  const settle = () => {
    const done = drained;
    drained = undefined;
    done?.();
  };
  const opened = await openChannels(cluster, connectingTo(exec, exec), listener, signal);
  channels = opened;
  pinging = setInterval(() => opened.ping(), PING_MS);
  opened.drained(settle);
  signal.addEventListener("abort", hangUp, { once: true });
  return { stdin, stdout, ended, hangUp };
}

/** Sends bytes in messages of a bearable length; false when the next are to wait. */
function sendAll(channels: ChannelSocket | undefined, bytes: Buffer): boolean {
  let goOn = true;
  for (let at = 0; at < bytes.length; at += LONGEST_MESSAGE) {
    const part = bytes.subarray(at, at + LONGEST_MESSAGE);
    goOn = channels?.send(CHANNEL.stdin, part) ?? true;
  }
  return goOn;
}

function cannotEndInput(): UserError {
  return new UserError({
    title: "The cluster cannot end a program's input",
    cause:
      "The API server speaks v4.channel.k8s.io only, which cannot tell a program in a pod that its input is over.",
    remedy: "Use a cluster of Kubernetes 1.30 or later, or connect to the server by its address.",
  });
}
