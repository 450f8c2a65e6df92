import { isNotFound } from "../api-error.ts";
import type { Cluster } from "../cluster.ts";
import type { KubernetesObject } from "../object.ts";
import type { Cause } from "../verdict/index.ts";

const SECOND = 1_000;
/** A kubelet tries again 11 to 15 s after it missed something; twice that covers a busy one. */
const UNTIL_TRIED_AGAIN_MS = 20 * SECOND;
/** Where nobody can be asked, the doubt is given this. */
const DOUBT_MS = 10 * SECOND;

interface Configuration extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

const KINDS: Readonly<Record<string, string>> = { configmap: "ConfigMap", secret: "Secret" };
/** Variables come from the pod's own specification, mostly: nobody else makes them. */
const OF_ITS_OWN = /missing value for \S+/;
const MISSING_KEY =
  /couldn't find key (?<key>\S+) in (?<kind>ConfigMap|Secret) [^/\s]+\/(?<name>\S+)/;
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
  const {
    kind = "",
    name = "",
    key,
  } = MISSING.exec(message)?.groups ?? MISSING_KEY.exec(message)?.groups ?? {};
  if (name === "") return OF_ITS_OWN.test(message) ? 0 : DOUBT_MS;
  try {
    const ref = { apiVersion: "v1", kind: KINDS[kind] ?? kind, namespace, name };
    const { data, binaryData } = await cluster.get<Configuration>(ref);
    const there = key === undefined || key in { ...data, ...binaryData };
    return there ? UNTIL_TRIED_AGAIN_MS : 0;
  } catch (error) {
    return isNotFound(error) ? 0 : DOUBT_MS;
  }
}
