import { gunzipSync, gzipSync } from "node:zlib";
import type { Cluster } from "../kubernetes/index.ts";
import type { ReleaseRecord } from "./release.ts";
import { recordRef, type StoredReleaseRef } from "./release-store.ts";

/**
 * Writes into Helm's record of a rollback who went back and why, where `helm history` shows it.
 *
 * @param text one line.
 * @returns whether the record could be understood and was changed.
 * @throws {ApiError} when the record may not be read or changed, or changed meanwhile.
 */
export async function describeRevision(
  cluster: Cluster,
  release: StoredReleaseRef,
  revision: number,
  text: string,
): Promise<boolean> {
  const ref = recordRef(release, revision);
  const record = await cluster.get<ReleaseRecord>(ref);
  const inSecret = record.kind === "Secret";
  const data = record.data?.release ?? "";
  const changed = withDescription(inSecret ? decoded(data) : data, text);
  if (changed === undefined) return false;
  const { resourceVersion } = record.metadata;
  const value = inSecret ? Buffer.from(changed).toString("base64") : changed;
  await cluster.patch(ref, { metadata: { resourceVersion }, data: { release: value } });
  return true;
}

function decoded(base64: string): string {
  return Buffer.from(base64, "base64").toString("latin1");
}

/** As Helm writes it when it rolls back: pkg/action/rollback.go. */
const BY_HELM = /"description":"Rollback to \d+"/g;

/**
 * Helm's packed record (base64 of gzipped JSON) with another description; undefined when it is not
 * in there exactly once. The text is changed in its place, for a JSON that is read and written
 * again could lose digits of the large numbers in a chart's values.
 */
export function withDescription(packed: string, text: string): string | undefined {
  const json = gunzipSync(Buffer.from(packed, "base64")).toString();
  if ([...json.matchAll(BY_HELM)].length !== 1) return undefined;
  const described = json.replace(BY_HELM, () => `"description":${JSON.stringify(text)}`);
  return gzipSync(described).toString("base64");
}
