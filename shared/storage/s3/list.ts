import { UserError } from "../../failure/index.ts";
import type { StoredObject } from "../storage.ts";
import type { S3Client } from "./client.ts";
import { stateOf } from "./object.ts";
import { allIn, type Element, parseXml, textIn } from "./xml.ts";

/** A page of keys, as S3 gives them: at most 1000, in the order of their bytes. */
async function pageOf(
  client: S3Client,
  prefix: string,
  token: string | undefined,
  signal: AbortSignal,
  most = 1_000,
): Promise<Element> {
  const query = {
    ...{ "list-type": "2", "encoding-type": "url", prefix, "max-keys": `${most}` },
    ...(token === undefined ? {} : { "continuation-token": token }),
  };
  const answer = await client.ask({
    ...{ operation: "list", method: "GET", key: "", query, signal },
    // Tells with each key whether it was thawed.
    headers: { "x-amz-optional-object-attributes": "RestoreStatus" },
  });
  const root = parseXml(answer.text.trim());
  if (root?.name === "ListBucketResult") return root;
  throw new UserError({
    title: "The storage answers strangely",
    cause: `The bucket ${client.address.bucket} cannot be listed: ${client.address.base.origin} answered ${answer.status} with no list.`,
    remedy: "Check that the endpoint is one of an S3-compatible storage, and not of its console.",
  });
}

/** Holds that the bucket is there and can be listed. */
export async function checkBucket(
  client: S3Client,
  prefix: string,
  signal: AbortSignal,
): Promise<void> {
  await pageOf(client, prefix, undefined, signal, 1);
}

/** All objects whose keys begin with a prefix, page after page as they are wanted. */
export async function* listKeys(
  client: S3Client,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<StoredObject> {
  let token: string | undefined;
  do {
    const page = await pageOf(client, prefix, token, signal);
    const isEncoded = textIn(page, "EncodingType") === "url";
    for (const entry of allIn(page, "Contents")) yield objectOf(entry, isEncoded);
    const next = textIn(page, "NextContinuationToken") || undefined;
    const more = textIn(page, "IsTruncated") === "true";
    if (more && (next === undefined || next === token)) {
      throw new UserError({
        title: "The storage answers strangely",
        cause: `The list of the bucket ${client.address.bucket} goes on, and ${client.address.base.origin} does not say where.`,
        remedy: "Check that the endpoint is one of an S3-compatible storage.",
      });
    }
    token = more ? next : undefined;
  } while (token !== undefined);
}

function objectOf(entry: Element, isEncoded: boolean): StoredObject {
  const key = textIn(entry, "Key");
  const [restore] = allIn(entry, "RestoreStatus");
  const words = restore && `ongoing-request="${textIn(restore, "IsRestoreInProgress")}"`;
  return {
    name: isEncoded ? decodeURIComponent(key.replaceAll("+", " ")) : key,
    bytes: Number(textIn(entry, "Size")),
    modified: Date.parse(textIn(entry, "LastModified")) || 0,
    state: stateOf(textIn(entry, "StorageClass"), undefined, words),
  };
}
