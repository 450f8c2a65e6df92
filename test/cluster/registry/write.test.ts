import { randomBytes, randomUUID } from "node:crypto";
import { beforeAll, describe, expect, it, jest } from "@jest/globals";
import { Refused } from "../../../shared/registry/index.ts";
import { up } from "../../testbed/index.ts";
import { client } from "./clients.ts";
import { type Asked, type Fault, FaultRegistry } from "./fault-registry.ts";
import { digestOf, madeImage, pushImage } from "./made-image.ts";

jest.setTimeout(30_000);

let real: string;
const folder = `write/${randomUUID().slice(0, 8)}`;
const { signal } = new AbortController();
const image = madeImage(Math.random, "written");

beforeAll(async () => {
  real = (await up(["registry"])).registry;
}, 30 * 60_000);

/** Shorter than a stall, longer than a busy machine takes to answer. */
const SILENCE = 2_000;

function blob(size: number) {
  const content = randomBytes(size);
  return { content, digest: digestOf(content) };
}

describe("the real registry", () => {
  it("keeps an image, gives it back byte by byte, and forgets it", async () => {
    using registry = client(real);
    const path = `${folder}/whole`;
    await pushImage(registry, path, image, signal);
    expect(await registry.putManifest(path, "one", image, signal)).toBe(image.digest);
    using other = client(real);
    expect(await other.manifest(path, "one", signal)).toMatchObject({ text: image.text });
    expect(await other.tags(path, signal)).toEqual(["one"]);
    // This registry deletes no tags, only images.
    expect(await other.deleteTag(path, "one", signal)).toBe("unsupported");
    expect(await other.deleteManifest(path, image.digest, signal)).toBe("deleted");
    expect(await other.deleteManifest(path, image.digest, signal)).toBe("absent");
    expect(await other.tags(path, signal)).toEqual([]);
  });

  it("takes blobs of any size, streams them back, and mounts them elsewhere", async () => {
    using registry = client(real);
    for (const size of [0, 1, 1_000_000, 5_000_000]) {
      const { content, digest } = blob(size);
      const path = `${folder}/sizes`;
      expect(await registry.upload({ path, digest, content }, signal)).toBe("sent");
      expect(await registry.upload({ path, digest, content }, signal)).toBe("there");
      const from = path;
      const elsewhere = `${folder}/elsewhere-${size}`;
      expect(await registry.upload({ path: elsewhere, digest, content, from }, signal)).toBe(
        "mounted",
      );
      expect((await readWhole(registry, elsewhere, digest)).equals(content)).toBe(true);
    }
    expect(await registry.openBlob(folder, `sha256:${"0".repeat(64)}`, signal)).toBeUndefined();
  });

  it("reads what is uploaded from any source, piece by piece", async () => {
    using registry = client(real);
    const { content, digest } = blob(3_000_000);
    const open = async function* (from: number) {
      for (let at = from; at < content.length; at += 70_000)
        yield content.subarray(at, at + 70_000);
    };
    const given = { path: `${folder}/pieces`, digest, content: { size: content.length, open } };
    expect(await registry.upload(given, signal)).toBe("sent");
    expect((await readWhole(registry, given.path, digest)).equals(content)).toBe(true);
  });

  it("lists the tags of a repository, and none where there is no such", async () => {
    using registry = client(real);
    const path = `${folder}/many`;
    await pushImage(registry, path, image, signal);
    const names = Array.from({ length: 10 }, (_, at) => `tag-${at}`);
    for (const name of names) await registry.putManifest(path, name, image, signal);
    expect([...(await registry.tags(path, signal))].sort()).toEqual(names);
    expect(await registry.tags(`${folder}/none`, signal)).toEqual([]);
  });

  it("without a list of referrers has them under a tag", async () => {
    using registry = client(real);
    const path = `${folder}/referred`;
    await pushImage(registry, path, image, signal);
    expect(await registry.referrers(path, image.digest, signal)).toEqual([]);
    const entry = { mediaType: image.mediaType, digest: image.digest, size: 1 };
    const manifests = [{ ...entry, artifactType: "application/x", annotations: { a: "b" } }];
    const mediaType = "application/vnd.oci.image.index.v1+json";
    const text = JSON.stringify({ schemaVersion: 2, mediaType, manifests });
    await registry.putManifest(path, image.digest.replace(":", "-"), { text, mediaType }, signal);
    expect(await registry.referrers(path, image.digest, signal)).toEqual(manifests);
  });

  it("is asked for what has a digest once", async () => {
    await using faulty = await FaultRegistry.start(real);
    using registry = client(faulty.host);
    const path = `${folder}/once`;
    await pushImage(registry, path, image, signal);
    faulty.asked.length = 0;
    const digest = digestOf(image.blobs[1] ?? "");
    for (let turn = 0; turn < 3; turn += 1) {
      await registry.manifest(path, image.digest, signal);
      await registry.hasBlob(path, digest, signal);
    }
    expect(faulty.asked.map(({ method }) => method)).toEqual(["HEAD"]);
  });

  it("may lose sight of a layer for a moment, and is asked again", async () => {
    let blinks = 2;
    await using faulty = await FaultRegistry.start(real, ({ method, url }) => {
      const blind = method === "PUT" && url.includes("/manifests/") && blinks-- > 0;
      const body = JSON.stringify({ errors: [{ code: "MANIFEST_BLOB_UNKNOWN" }] });
      return blind ? { status: 400, body } : undefined;
    });
    using registry = client(faulty.host);
    const path = `${folder}/blinking`;
    await pushImage(registry, path, image, signal);
    expect(blinks).toBeLessThan(0);
    expect((await registry.manifest(path, image.digest, signal))?.digest).toBe(image.digest);
  });

  it("that never sees a layer is told", async () => {
    using registry = client(real);
    const layer = { mediaType: "application/vnd.oci.image.layer.v1.tar", size: 1 };
    const unknown = { ...layer, digest: digestOf(randomBytes(8)) };
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    const text = JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: { ...unknown, mediaType: "application/vnd.oci.image.config.v1+json" },
      layers: [unknown],
    });
    const put = registry.putManifest(`${folder}/blind`, "1", { text, mediaType }, signal);
    await expect(put).rejects.toThrow(/answered 400.*MANIFEST_BLOB_UNKNOWN/);
  });

  it("lets us begin a push, which is taken back", async () => {
    await using faulty = await FaultRegistry.start(real);
    using registry = client(faulty.host);
    await registry.checkPush(`${folder}/tried`, signal);
    expect(faulty.asked.map(({ method }) => method)).toEqual(["POST", "DELETE"]);
  });
});

it("lists of tags are read page by page, to the last", async () => {
  // The bed's registry sends all at once.
  const pages = [["a", "b"], ["c"], ["d", "e"]];
  await using paged = await FaultRegistry.start(real, ({ url }) => {
    const at = Number(new URL(url, "http://x").searchParams.get("last") ?? 0);
    const next = `<${url.split("?")[0]}?n=2&last=${at + 1}>; rel="next"`;
    const headers = at + 1 < pages.length ? { link: next } : {};
    return { status: 200, headers, body: JSON.stringify({ name: "x", tags: pages[at] }) };
  });
  using registry = client(paged.host);
  expect(await registry.tags("x", signal)).toEqual(["a", "b", "c", "d", "e"]);
  expect(paged.asked).toHaveLength(3);
});

describe("an upload survives", () => {
  const once = (match: (asked: Asked) => boolean, fault: Fault) => {
    let left = 1;
    return (asked: Asked) => (match(asked) && left-- > 0 ? fault : undefined);
  };
  const isPut = ({ method, url }: Asked) => method === "PUT" && url.includes("/blobs/");
  const isPatch = ({ method }: Asked) => method === "PATCH";
  const isPost = ({ method }: Asked) => method === "POST";

  it.each<[string, (asked: Asked) => boolean, Fault]>([
    ["503 to its beginning", isPost, { status: 503 }],
    ["429 to its beginning", isPost, { status: 429 }],
    ["a reset at its beginning", isPost, "reset"],
    ["an answer to its beginning that is lost", isPost, "unanswered"],
    ["silence at its beginning", isPost, { stall: 6_000 }],
    ["500 in the middle", isPatch, { status: 500 }],
    ["a line that breaks in the middle", isPatch, { cutAfter: 1_500_000 }],
    ["a broken line after the middle", isPatch, "unanswered"],
    ["502 at its end", isPut, { status: 502 }],
    ["a reset at its end", isPut, "reset"],
    ["a last answer that is lost", isPut, "unanswered"],
    ["a last answer without its last byte", isPut, "last-byte"],
  ])("%s", async (_, match, fault) => {
    await using faulty = await FaultRegistry.start(real, once(match, fault));
    using registry = client(faulty.host, undefined, SILENCE);
    const { content, digest } = blob(3_000_000);
    const path = `${folder}/survives`;
    expect(await registry.upload({ path, digest, content }, signal)).toBe("sent");
    using straight = client(real);
    expect((await readWhole(straight, path, digest)).equals(content)).toBe(true);
  });

  it("a registry that trickles its answers, as long as something comes", async () => {
    await using faulty = await FaultRegistry.start(real, ({ url }) =>
      url.includes("/manifests/") ? { trickle: 1 } : undefined,
    );
    using registry = client(faulty.host);
    const path = `${folder}/slow`;
    await pushImage(registry, path, image, signal);
    using fresh = client(faulty.host);
    expect((await fresh.manifest(path, image.digest, signal))?.text).toBe(image.text);
  });
});

describe("a download", () => {
  it.each<[string, Fault]>([
    ["that breaks at the last byte", "last-byte"],
    ["that is lost", "unanswered"],
    ["that is refused at first", { status: 503 }],
    ["that keeps silent", { stall: 6_000 }],
  ])("%s is taken up again", async (_, fault) => {
    let left = 1;
    await using faulty = await FaultRegistry.start(real, ({ method, url }) =>
      method === "GET" && url.includes("/blobs/") && left-- > 0 ? fault : undefined,
    );
    using registry = client(faulty.host, undefined, SILENCE);
    const { content, digest } = blob(400_000);
    await registry.upload({ path: `${folder}/down`, digest, content }, signal);
    expect((await readWhole(registry, `${folder}/down`, digest)).equals(content)).toBe(true);
  });

  it.each<[string, Fault]>([
    ["is short", "short"],
    ["is garbled", "garbled"],
  ])("that %s for good fails, and is never called whole", async (_, fault) => {
    await using faulty = await FaultRegistry.start(real, ({ method, url }) =>
      method === "GET" && /blobs|manifests/.test(url) ? fault : undefined,
    );
    using registry = client(faulty.host);
    const path = `${folder}/spoiled`;
    const { content, digest } = blob(4_000);
    await registry.upload({ path, digest, content }, signal);
    await pushImage(registry, path, image, signal);
    using fresh = client(faulty.host);
    const title = "The registry contradicts itself";
    await expect(readWhole(fresh, path, digest)).rejects.toMatchObject({ title });
    await expect(fresh.blob(path, digest, signal)).rejects.toMatchObject({ title });
    await expect(fresh.manifest(path, image.digest, signal)).rejects.toMatchObject({ title });
  });

  it("from storage elsewhere goes there without our credentials", async () => {
    const { content, digest } = blob(4_000);
    const path = `${folder}/moved`;
    using straight = client(real);
    await straight.upload({ path, digest, content }, signal);
    await using storage = await FaultRegistry.start(real);
    await using faulty = await FaultRegistry.start(real, ({ url, authorization }) => {
      if (authorization === undefined)
        return { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } };
      const location = `http://${storage.host}${url}`;
      return url.includes("/blobs/") ? { status: 307, headers: { location } } : undefined;
    });
    using registry = client(faulty.host, { kind: "password", username: "me", password: "secret" });
    expect((await readWhole(registry, path, digest)).equals(content)).toBe(true);
    expect(await registry.blob(path, digest, signal)).toBe(content.toString("utf8"));
    expect(storage.asked.map(({ authorization }) => authorization)).toEqual([undefined, undefined]);
  });
});

describe("a registry that takes nothing", () => {
  const body = (code: string, message: string) => JSON.stringify({ errors: [{ code, message }] });

  it.each<[string, Fault & object, RegExp, RegExp]>([
    ["507", { status: 507 }, /is full/, /answered 507/],
    [
      "500 and words of a full disk",
      { status: 500, body: body("UNKNOWN", "write: no space left on device") },
      /is full/,
      /no space left/,
    ],
    [
      "403 and words of a quota",
      { status: 403, body: body("DENIED", "storage quota exceeded") },
      /is full/,
      /quota exceeded/,
    ],
    [
      "405",
      { status: 405, body: body("UNSUPPORTED", "The operation is unsupported.") },
      /is read-only/,
      /405/,
    ],
    [
      "503 and words of maintenance",
      { status: 503, body: body("UNAVAILABLE", "read-only mode") },
      /is read-only/,
      /read-only mode/,
    ],
    [
      "403",
      { status: 403, body: body("DENIED", "not yours") },
      /forbids it/,
      /repository:.*:pull,push/,
    ],
    [
      "404 and no such name",
      { status: 404, body: body("NAME_UNKNOWN", "repository name not known") },
      /answered 404/,
      /NAME_UNKNOWN/,
    ],
  ])("but %s is told as what it is, without long waits", async (_, fault, title, cause) => {
    await using faulty = await FaultRegistry.start(real, ({ method }) =>
      method === "POST" || method === "PUT" ? fault : undefined,
    );
    using registry = client(faulty.host);
    const { content, digest } = blob(100);
    const path = `${folder}/shut`;
    const failures = [
      registry.upload({ path, digest, content }, signal),
      registry.putManifest(path, "tag", image, signal),
      registry.checkPush(path, signal),
    ].map((each) =>
      each.then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    for (const failure of await Promise.all(failures)) {
      expect(failure).toBeInstanceOf(Refused);
      expect(failure).toMatchObject({
        title: expect.stringMatching(title),
        cause: expect.stringMatching(cause),
      });
    }
  });

  it("that says another digest than it was sent is not believed", async () => {
    const other = `sha256:${"1".repeat(64)}`;
    await using faulty = await FaultRegistry.start(real, ({ method }) =>
      method === "PUT" ? { altered: { "docker-content-digest": other } } : undefined,
    );
    using registry = client(faulty.host);
    const { content, digest } = blob(100);
    const path = `${folder}/liar`;
    await expect(registry.upload({ path, digest, content }, signal)).rejects.toMatchObject({
      title: "The registry garbles what it is sent",
      cause: expect.stringContaining(other),
    });
  });
});

async function readWhole(
  registry: ReturnType<typeof client>,
  path: string,
  digest: string,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of (await registry.openBlob(path, digest, signal)) ?? []) {
    pieces.push(piece as Buffer);
  }
  return Buffer.concat(pieces);
}
