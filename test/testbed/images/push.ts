import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

interface Described {
  readonly digest: string;
}

/** Pushes an image from the folder it was made in, unless the registry has it already. */
export async function pushImage(
  registry: string,
  { repository, tag }: { readonly repository: string; readonly tag: string },
  folder: string,
): Promise<void> {
  const manifest = await readFile(join(folder, "manifest.json"), "utf8");
  const base = `${registry}/v2/${repository}`;
  const type = "application/vnd.oci.image.manifest.v1+json";
  const wanted = `sha256:${createHash("sha256").update(manifest).digest("hex")}`;
  const found = await fetch(`${base}/manifests/${tag}`, {
    method: "HEAD",
    headers: { accept: type },
  });
  if (found.headers.get("docker-content-digest") === wanted) return;

  const { config, layers } = JSON.parse(manifest) as { config: Described; layers: Described[] };
  await pushBlob(base, config.digest, join(folder, "config.json"));
  for (const layer of layers) await pushBlob(base, layer.digest, join(folder, "layer.tar.gz"));
  await send(`${base}/manifests/${tag}`, "PUT", { "content-type": type }, manifest);
}

async function pushBlob(base: string, digest: string, file: string): Promise<void> {
  const found = await fetch(`${base}/blobs/${digest}`, { method: "HEAD" });
  if (found.ok) return;
  const begun = await send(`${base}/blobs/uploads/`, "POST", {});
  const target = new URL(begun.headers.get("location") ?? "", base);
  target.searchParams.set("digest", digest);
  const content = await readFile(file);
  await send(target.href, "PUT", { "content-type": "application/octet-stream" }, content);
}

async function send(
  url: string,
  method: string,
  headers: Record<string, string>,
  body?: string | Uint8Array<ArrayBuffer>,
): Promise<Response> {
  const answer = await fetch(url, { method, headers, body: body ?? null });
  if (!answer.ok) {
    throw new Error(`${method} ${url} failed with status ${answer.status}: ${await answer.text()}`);
  }
  return answer;
}
