import { gunzipSync, gzipSync } from "node:zlib";
import { dump } from "js-yaml";
import { objectsOf, type Revision, recordRef } from "../helm/index.ts";
import { findAll, type KubernetesObject, nameOf, refOf } from "../kubernetes/index.ts";
import type { World } from "../world/index.ts";
import { type KeptReplicas, keptReplicas, withReplicas } from "./autoscaled.ts";
import type { ReleaseTools } from "./tools.ts";

/** A manifest with the replicas that autoscalers have chosen; its other documents stay as they are. */
export function manifestKeeping(
  manifest: string,
  kept: readonly KeptReplicas[],
  home: string,
): string {
  if (kept.length === 0) return manifest;
  return manifest
    .split(/^(?=---(?:\s|$))/m)
    .map((part) => partKeeping(part, kept, home))
    .join("");
}

function partKeeping(part: string, kept: readonly KeptReplicas[], home: string): string {
  if (!kept.some(({ name }) => part.includes(name))) return part;
  const [object] = objectsOf(part);
  if (object === undefined) return part;
  const [changed] = withReplicas([object], kept, home);
  if (changed === object) return part;
  const source = /^# Source: .*$/m.exec(part)?.[0];
  const text = dump(changed, { lineWidth: -1, noRefs: true });
  return `---\n${source === undefined ? "" : `${source}\n`}${text}`;
}

/**
 * Before a rollback: what an autoscaler has scaled since would fall back to the number in the
 * recorded manifest, or be refused as a conflict, and `helm rollback` takes no post-renderer. So the
 * live numbers are written into the record that Helm is about to apply.
 */
export async function keepReplicasIn(
  target: Revision,
  { cluster, release, storage }: ReleaseTools,
  { log }: Pick<World, "log">,
): Promise<void> {
  const objects = objectsOf(target.manifest)
    .filter(
      (object) => typeof (object as { spec?: { replicas?: unknown } }).spec?.replicas === "number",
    )
    .map((object) => inNamespace(object, release.namespace));
  if (objects.length === 0) return;
  const live = await findAll(cluster, objects.map(refOf));
  const kept = await keptReplicas(cluster, objects, live);
  if (kept.length === 0) return;
  const ref = recordRef({ ...release, storage }, target.revision);
  const record = await cluster.get<KubernetesObject & { data?: { release?: string } }>(ref);
  const data = record.data?.release ?? "";
  const packed = storage === "Secret" ? Buffer.from(data, "base64").toString("latin1") : data;
  const changed = recordKeeping(packed, target.manifest, kept, release.namespace);
  if (changed === undefined) return;
  const value = storage === "Secret" ? Buffer.from(changed).toString("base64") : changed;
  const { resourceVersion } = record.metadata;
  await cluster.patch(ref, { metadata: { resourceVersion }, data: { release: value } });
  log.info(`${keptText(kept)}: the rollback leaves that as it is.`);
}

function inNamespace(object: KubernetesObject, namespace: string): KubernetesObject {
  return { ...object, metadata: { namespace, ...object.metadata } };
}

/** `deployment/web has 7 replicas by its autoscaler (the chart says 2)` */
export function keptText(kept: readonly KeptReplicas[]): string {
  return kept
    .map(
      (one) =>
        `${nameOf(one)} has ${one.live} replicas by its autoscaler (the chart says ${one.asked})`,
    )
    .join(", ");
}

/**
 * Helm's packed record (base64 of gzipped JSON) with the replicas of its manifest replaced; undefined
 * where they cannot be found. The text is changed in its place, for a JSON that is read and written
 * again could lose digits of the large numbers in a chart's values.
 */
export function recordKeeping(
  packed: string,
  manifest: string,
  kept: readonly KeptReplicas[],
  home: string,
): string | undefined {
  const json = gunzipSync(Buffer.from(packed, "base64")).toString();
  const was = `"manifest":${goJson(manifest)}`;
  if (!json.includes(was)) return undefined;
  const is = `"manifest":${goJson(manifestKeeping(manifest, kept, home))}`;
  return gzipSync(json.replace(was, () => is)).toString("base64");
}

/** A text as Go's encoding/json writes it. */
function goJson(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&\u2028\u2029]|\\b|\\f/g,
    (sign) =>
      ({
        "<": "\\u003c",
        ">": "\\u003e",
        "&": "\\u0026",
        "\u2028": "\\u2028",
        "\u2029": "\\u2029",
      })[sign] ?? sign,
  );
}
