import { isNotFound } from "../api-error.ts";
import type { Cluster } from "../cluster.ts";
import type { Cause } from "../verdict/index.ts";

const SECOND = 1_000;
/** A kubelet tries again 11 to 15 s after it missed something; twice that covers a busy one. */
const UNTIL_TRIED_AGAIN_MS = 20 * SECOND;
/** Where nobody can be asked, the doubt is given this. */
const DOUBT_MS = 10 * SECOND;

const KINDS = { configmap: "ConfigMap", secret: "Secret" } as const;
const MISSING = /\b(?<kind>configmap|secret) "(?<name>[^"]+)" not found/;

/**
 * How much longer a container without its configuration deserves, in milliseconds, once its grace
 * is over: 0 when what it misses still does not exist, more when it does by now, for the kubelet
 * does not look at once.
 */
export async function reprieve(
  cluster: Cluster,
  namespace: string | undefined,
  { reason, message, grace }: Cause,
): Promise<number> {
  if (reason !== "ConfigError" || grace === 0) return 0;
  const missing = MISSING.exec(message)?.groups;
  if (missing === undefined) return DOUBT_MS;
  const kind = KINDS[missing.kind as keyof typeof KINDS];
  try {
    await cluster.get({ apiVersion: "v1", kind, namespace, name: missing.name ?? "" });
    return UNTIL_TRIED_AGAIN_MS;
  } catch (error) {
    return isNotFound(error) ? 0 : DOUBT_MS;
  }
}
