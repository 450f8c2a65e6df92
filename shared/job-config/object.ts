import { isUtf8 } from "node:buffer";
import type { KubernetesObject } from "../kubernetes/index.ts";
import type { ConfigObject } from "./job-config.ts";

/** A ConfigMap or Secret as the API server takes it. */
export interface ConfigManifest extends KubernetesObject {
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
  /** Of a ConfigMap: what is no UTF-8, in base64. */
  readonly binaryData?: Readonly<Record<string, string>>;
  readonly immutable?: boolean;
}

/** The object to apply. Without fields that it has nothing for, so that it owns no more than its own. */
export function manifestOf(
  config: ConfigObject,
  namespace: string,
  annotations: Readonly<Record<string, string>> = {},
): ConfigManifest {
  const { kind, name, type, immutable, labels } = config;
  const noted = { ...config.annotations, ...annotations };
  return {
    apiVersion: "v1",
    kind,
    metadata: {
      name,
      namespace,
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
      ...(Object.keys(noted).length === 0 ? {} : { annotations: noted }),
    },
    ...(kind === "Secret" && type !== undefined ? { type } : {}),
    ...(immutable ? { immutable } : {}),
    ...(kind === "Secret" ? secretData(config) : configMapData(config)),
  };
}

function secretData({ content }: ConfigObject) {
  return { data: base64(content) };
}

function configMapData({ content }: ConfigObject) {
  const entries = [...content];
  const text = entries.filter(([, value]) => isUtf8(value));
  const binary = entries.filter(([, value]) => !isUtf8(value));
  return {
    ...(text.length === 0
      ? {}
      : { data: Object.fromEntries(text.map(([key, value]) => [key, value.toString("utf8")])) }),
    ...(binary.length === 0 ? {} : { binaryData: base64(binary) }),
  };
}

function base64(content: Iterable<readonly [string, Buffer]>): Readonly<Record<string, string>> {
  return Object.fromEntries([...content].map(([key, value]) => [key, value.toString("base64")]));
}

/** What a live ConfigMap or Secret holds, by keys. */
export function contentOf(object: ConfigManifest): ReadonlyMap<string, Buffer> {
  const encoding = object.kind === "Secret" ? "base64" : "utf8";
  return new Map([
    ...Object.entries(object.data ?? {}).map(
      ([key, value]) => [key, Buffer.from(value, encoding)] as const,
    ),
    ...Object.entries(object.binaryData ?? {}).map(
      ([key, value]) => [key, Buffer.from(value, "base64")] as const,
    ),
  ]);
}
