import { createHash, randomBytes } from "node:crypto";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const ACCEPT = `${MANIFEST}, ${INDEX}`;
const ACCEPTING = { headers: { accept: ACCEPT } };
const DAY = 86_400_000;

export interface Put {
  readonly digest: string;
  readonly mediaType: string;
  readonly size: number;
  readonly text: string;
}

interface Parts {
  readonly tags?: readonly string[];
  /** In days. */
  readonly age?: number | undefined;
  readonly platforms?: readonly string[];
  /** A layer that others have too. */
  readonly base?: string;
  readonly subject?: Put;
  readonly configType?: string;
}

/** A repository of the bed's registry, filled with small images by its own protocol. */
export class Stock {
  readonly host: string;
  readonly path: string;

  constructor(registry: string, path = `prune-${randomBytes(4).toString("hex")}`) {
    const [host = "", ...below] = registry.split("/");
    this.host = host;
    this.path = [...below, path].join("/");
  }

  get name(): string {
    return `${this.host}/${this.path}`;
  }

  /** An image for one platform, or with `platforms` an index of some, with papers as BuildKit's. */
  async image(parts: Parts = {}): Promise<Put> {
    const { tags = [], platforms } = parts;
    if (platforms === undefined) return this.#manifest(parts, tags);
    const images = await Promise.all(
      platforms.map(async (platform) => {
        const [os, architecture] = platform.split("/");
        return { ...(await this.#manifest(parts, [])), platform: { os, architecture } };
      }),
    );
    const papers = await this.#manifest(parts, []);
    const unknown = { os: "unknown", architecture: "unknown" };
    const manifests = [...images, { ...papers, platform: unknown }].map(
      ({ text: _, ...rest }) => rest,
    );
    const index = { schemaVersion: 2, mediaType: INDEX, manifests };
    return this.#put(JSON.stringify(index), INDEX, tags);
  }

  /** An image that a node can run: that of another, made long ago. */
  async runnable(image: string, tags: readonly string[], age = 100): Promise<Put> {
    const [, path = "", tag = ""] = /^[^/]+\/(.+):([^:/]+)$/.exec(image) ?? [];
    const from = (what: string) => fetch(`http://${this.host}/v2/${path}/${what}`, ACCEPTING);
    const manifest = (await (await from(`manifests/${tag}`)).json()) as {
      config: { digest: string };
      layers: { digest: string }[];
    };
    const config = (await (await from(`blobs/${manifest.config.digest}`)).json()) as object;
    const layers = manifest.layers.map(async (layer) => {
      const bytes = await (await from(`blobs/${layer.digest}`)).arrayBuffer();
      return { ...layer, ...(await this.#upload(Buffer.from(bytes))) };
    });
    const created = new Date(Date.now() - age * DAY).toISOString();
    const made = await this.#upload(Buffer.from(JSON.stringify({ ...config, created })));
    const text = JSON.stringify({
      ...manifest,
      config: { ...manifest.config, ...made },
      layers: await Promise.all(layers),
    });
    return this.#put(text, MANIFEST, tags);
  }

  /** What cosign leaves beside an image, under a tag made of its digest. */
  signature({ digest }: Put): Promise<Put> {
    return this.image({ tags: [`${digest.replace(":", "-")}.sig`], age: 0 });
  }

  /** Something that names its subject, listed as clients do where the registry keeps no list. */
  async attestation(subject: Put): Promise<Put> {
    const put = await this.image({ subject, age: 0 });
    const { text: _, ...descriptor } = put;
    const manifests = [{ ...descriptor, artifactType: "application/vnd.in-toto+json" }];
    const index = { schemaVersion: 2, mediaType: INDEX, manifests };
    await this.#put(JSON.stringify(index), INDEX, [subject.digest.replace(":", "-")]);
    return put;
  }

  async tag(put: Put, tag: string): Promise<void> {
    await this.#put(put.text, put.mediaType, [tag]);
  }

  async has(reference: string): Promise<boolean> {
    const answer = await fetch(this.#url(`manifests/${reference}`), {
      method: "HEAD",
      headers: { accept: ACCEPT },
    });
    if (answer.status !== 200 && answer.status !== 404) throw new Error(`${answer.status}`);
    return answer.status === 200;
  }

  async tags(): Promise<readonly string[]> {
    const answer = await fetch(this.#url("tags/list"));
    const { tags } = (await answer.json()) as { tags?: readonly string[] | null };
    return (tags ?? []).toSorted();
  }

  async remove(digest: string): Promise<void> {
    await fetch(this.#url(`manifests/${digest}`), { method: "DELETE" });
  }

  async #manifest(parts: Parts, tags: readonly string[]): Promise<Put> {
    const { age = 100, base, subject, configType } = parts;
    const created = new Date(Date.now() - age * DAY).toISOString();
    const layers = [randomBytes(400), ...(base === undefined ? [] : [Buffer.from(base)])];
    const [os, architecture] = ["linux", "amd64"];
    const rootfs = { type: "layers", diff_ids: layers.map(digestOf) };
    const config = Buffer.from(JSON.stringify({ created, os, architecture, rootfs }));
    const blobs = await Promise.all([config, ...layers].map((blob) => this.#upload(blob)));
    const [first, ...rest] = blobs;
    const manifest = {
      ...{ schemaVersion: 2, mediaType: MANIFEST },
      config: { mediaType: configType ?? "application/vnd.oci.image.config.v1+json", ...first },
      layers: rest.map((blob) => ({
        mediaType: "application/vnd.oci.image.layer.v1.tar",
        ...blob,
      })),
      ...(subject && { subject: { ...subject, text: undefined } }),
    };
    return this.#put(JSON.stringify(manifest), MANIFEST, tags);
  }

  async #upload(blob: Buffer) {
    const digest = digestOf(blob);
    const begun = await fetch(this.#url("blobs/uploads/"), { method: "POST" });
    const where = new URL(begun.headers.get("location") ?? "", this.#url(""));
    where.searchParams.set("digest", digest);
    const done = await fetch(where, { method: "PUT", body: new Uint8Array(blob) });
    if (done.status !== 201) throw new Error(`upload: ${done.status} ${await done.text()}`);
    return { digest, size: blob.length };
  }

  async #put(text: string, mediaType: string, tags: readonly string[]): Promise<Put> {
    const digest = digestOf(text);
    for (const reference of tags.length === 0 ? [digest] : tags) {
      const answer = await fetch(this.#url(`manifests/${reference}`), {
        method: "PUT",
        headers: { "content-type": mediaType },
        body: text,
      });
      if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
    }
    return { digest, mediaType, size: Buffer.byteLength(text), text };
  }

  #url(what: string): string {
    return `http://${this.host}/v2/${this.path}/${what}`;
  }
}

function digestOf(content: Buffer | string): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}
