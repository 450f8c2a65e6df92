import { readFile } from "node:fs/promises";
import { request } from "node:https";
import type { Bed } from "./bed.ts";

/** An object of the Kubernetes API, as far as the bed looks into one. */
export interface KubernetesObject {
  readonly status?: { readonly conditions?: readonly Condition[] };
}

interface Condition {
  readonly type: string;
  readonly status: string;
}

/** Reads an object as the administrator; undefined while there is none, or no API server. */
export async function read(bed: Bed, path: string): Promise<KubernetesObject | undefined> {
  const answer = await call(bed, "GET", path).catch(() => undefined);
  return answer?.status === 200 ? (JSON.parse(answer.text) as KubernetesObject) : undefined;
}

/** Tells whether a health endpoint says yes. */
export async function isHealthy(bed: Bed, path: string): Promise<boolean> {
  const answer = await call(bed, "GET", path).catch(() => undefined);
  return answer?.status === 200;
}

/** Creates an object or makes it as given, whichever is needed. */
export async function apply(bed: Bed, path: string, object: object): Promise<void> {
  const query = "?fieldManager=seaworthy-testbed&force=true";
  const answer = await call(bed, "PATCH", path + query, JSON.stringify(object));
  if (answer.status >= 300) {
    throw new Error(`applying ${path} failed with status ${answer.status}: ${answer.text}`);
  }
}

async function call(bed: Bed, method: string, path: string, body?: string) {
  const pki = (file: string) => readFile(bed.path("pki", file));
  const [ca, cert, key] = await Promise.all(["ca.crt", "admin.crt", "admin.key"].map(pki));
  return new Promise<{ status: number; text: string }>((done, fail) => {
    const headers = body === undefined ? {} : { "content-type": "application/apply-patch+yaml" };
    const options = { method, ca, cert, key, headers, agent: false, timeout: 5000 };
    const outgoing = request(bed.server + path, options, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("error", fail);
      answer.on("end", () =>
        done({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString("utf8") }),
      );
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error(`${path}: no answer within 5 s`)));
    outgoing.on("error", fail);
    outgoing.end(body);
  });
}
