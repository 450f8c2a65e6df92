import { generateKeyPairSync } from "node:crypto";
import { Readable } from "node:stream";
import {
  type BackupOptions,
  type BackupSource,
  type Captured,
  type PartSink,
  writeBackup,
} from "../../../shared/backup/index.ts";
import { Secrets } from "../../../shared/secrets/index.ts";
import { silentLog, systemClock, type World } from "../../../shared/world/index.ts";
import type { MemoryStorage } from "./memory-storage.ts";

export const NOW = Date.UTC(2026, 10, 22, 0, 4);
export const IDENTITY =
  "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
export const RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

/** What a use case has of the outside, with a log to look into and cancellation at hand. */
export function scene(now = NOW) {
  const cancelled = new AbortController();
  const lines: string[] = [];
  const warnings: string[] = [];
  const world: World = {
    clock: { now: () => now, sleep: systemClock.sleep },
    log: {
      ...silentLog,
      info: (text) => void lines.push(text),
      warning: (text) => void warnings.push(text),
    },
    secrets: new Secrets(),
    signal: cancelled.signal,
    aftermath: new AbortController().signal,
    environment: {},
  };
  return { world, lines, warnings, cancel: () => cancelled.abort(new Error("cancelled")) };
}

export const plain: BackupOptions = {
  name: "papers",
  sealing: { compression: "none", encryption: { method: "none" } },
};

/** A source whose parts are given. */
export function sourceOf(
  parts: Readonly<Record<string, Buffer | string>>,
  captured: Partial<Captured> = {},
  between: (sink: PartSink, world: World) => void | Promise<void> = () => {},
): BackupSource {
  return {
    kind: "directory",
    subject: "folder /srv/papers",
    async capture(sink, world) {
      const writes = Object.entries(parts).map(([name, content]) =>
        sink.write(name, Readable.from(content.length > 0 ? [Buffer.from(content)] : [])),
      );
      await between(sink, world);
      await Promise.all(writes);
      return {
        ...{ fingerprint: { members: Object.keys(parts) }, source: { host: "here" }, taken: NOW },
        ...{ measures: { files: 2 }, excluded: [], notes: [], ...captured },
      };
    },
  };
}

export function backUp(
  storage: MemoryStorage,
  parts: Readonly<Record<string, Buffer | string>>,
  options: Partial<BackupOptions> = {},
  now = NOW,
) {
  return writeBackup(sourceOf(parts), storage, { ...plain, ...options }, scene(now).world);
}

export function signingKeys(type: "ec" | "ed25519" | "rsa", passphrase?: string) {
  const pair =
    type === "ec"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : type === "rsa"
        ? generateKeyPairSync("rsa", { modulusLength: 2048 })
        : generateKeyPairSync("ed25519");
  const cipher = passphrase === undefined ? {} : { cipher: "aes-256-cbc", passphrase };
  return {
    key: pair.privateKey.export({ type: "pkcs8", format: "pem", ...cipher }).toString(),
    publicKey: pair.publicKey.export({ type: "spki", format: "pem" }).toString(),
  };
}
