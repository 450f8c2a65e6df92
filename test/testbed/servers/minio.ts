import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Bed } from "../bed.ts";
import * as modules from "../modules.ts";
import type { Server } from "../piece.ts";

/** Where an object store is, and who may do everything in it. */
export interface ObjectStore {
  /** Its S3 interface by plain HTTP, for this machine, for pods and for containers. */
  readonly url: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const PORT = 9000;
const USER = "seaworthy";

/** MinIO: an object store with versions, object lock and lifecycle rules. */
export const minio: Server = {
  name: "minio",
  needs: ["node"],
  modules: [modules.minio],
  prepare: async (bed) => {
    if ((await secret(bed)) === "") await bed.write(SECRET, randomBytes(20).toString("hex"));
  },
  start: async (bed) => ({
    program: bed.built(modules.minio, "minio"),
    args: ["server", "--address", `:${PORT}`, "--console-address", "127.0.0.1:9001", data(bed)],
    env: {
      HOME: bed.path("minio"),
      MINIO_ROOT_USER: USER,
      MINIO_ROOT_PASSWORD: await secret(bed),
      MINIO_UPDATE: "off",
      MINIO_BROWSER: "off",
      MINIO_CALLHOME_ENABLE: "off",
    },
    // No port can clash there, and pods and the host reach it by one address.
    inside: "node",
  }),
  ready: async (bed) => {
    const answer = await fetch(`${urlOf(bed)}/minio/health/live`).catch(() => undefined);
    return answer?.ok === true;
  },
};

/** Where the bed's object store is; its secret is empty before it was first started. */
export async function objectStore(bed: Bed): Promise<ObjectStore> {
  const secretAccessKey = await secret(bed);
  return { url: urlOf(bed), region: "us-east-1", accessKeyId: USER, secretAccessKey };
}

const SECRET = ["minio", "secret"] as const;

function secret(bed: Bed): Promise<string> {
  return readFile(bed.path(...SECRET), "utf8").catch(() => "");
}

function data(bed: Bed): string {
  return bed.path("minio", "data");
}

function urlOf(bed: Bed): string {
  return `http://${bed.addresses.node}:${PORT}`;
}
