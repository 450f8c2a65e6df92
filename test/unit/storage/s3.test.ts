import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { openStorage, type Storage, type StorageSettings } from "../../../shared/storage/index.ts";
import { Wire } from "../../../shared/storage/transfer/wire.ts";
import { testWorld } from "../../cluster/storage/bucket.ts";
import { error, type S3Asked, type S3Said, SmallS3 } from "../../servers/small-s3.ts";

const { signal } = new AbortController();
let store: SmallS3;
let world: ReturnType<typeof testWorld>;

beforeEach(async () => {
  store = await SmallS3.start();
  world = testWorld();
});
afterEach(() => store[Symbol.asyncDispose]());

function open(settings: Partial<StorageSettings> = {}): Promise<Storage> {
  const keys = { accessKeyId: "AK", secretAccessKey: "secret-secret" };
  const location = "s3://bucket/p";
  return openStorage({ location, endpoint: store.origin, ...keys, ...settings }, world);
}

async function first(storage: Storage): Promise<unknown> {
  for await (const found of storage.list("", signal)) return found;
  return undefined;
}

/** Answers once, where a request is one of these. */
function once(is: (asked: S3Asked) => boolean, said: S3Said): void {
  let left = 1;
  store.before = (asked) => (is(asked) && left-- > 0 ? said : undefined);
}

describe("a server without checksums", () => {
  it("is held by MD5 sums, and that is said", async () => {
    const storage = await open();
    for (const size of [0, 1_000, 20_000_000]) {
      const content = randomBytes(size);
      await storage.write(`a/${size}`, Readable.from([content]), { signal });
      expect(store.objects.get(`p/a/${size}`)?.content.equals(content)).toBe(true);
      expect(content.equals(await buffer(await storage.read(`a/${size}`, { signal })))).toBe(true);
    }
    expect(world.said.join()).toContain("does not tell SHA-256 sums");
    const parts = store.asked.filter(({ query }) => query.has("partNumber"));
    expect(parts).toHaveLength(3);
    for (const { headers } of parts) expect(headers["content-md5"]).toBeDefined();
  });

  it("that keeps other bytes is found out, and nothing wrong stays there", async () => {
    const storage = await open();
    for (const size of [1_000, 20_000_000]) {
      store.before = ({ method, path }) => {
        const kept = store.objects.get(path);
        if (method !== "HEAD" || kept === undefined) return undefined;
        const etag = kept.etag.replace(/^./, (sign) => (sign === "0" ? "1" : "0"));
        return { status: 200, headers: { etag: `"${etag}"`, "content-length": `${size}` } };
      };
      const writing = storage.write("wrong", Readable.from([randomBytes(size)]), { signal });
      await expect(writing).rejects.toMatchObject({
        title: "What was read is not what is stored",
        cause: expect.stringContaining("its MD5 is"),
      });
      expect(store.objects.size).toBe(0);
    }
  });

  it("or conditions is asked without them", async () => {
    const storage = await open();
    store.before = ({ headers }) => {
      if (headers["if-none-match"] !== undefined) return error(501, "NotImplemented");
      const isNew = Object.keys(headers).some((name) => name.startsWith("x-amz-checksum-sha256"));
      return isNew ? error(400, "InvalidArgument", "x-amz-checksum-sha256 is unknown") : undefined;
    };
    await storage.write("a", Buffer.from("x"), { signal });
    expect(store.objects.get("p/a")?.content.toString()).toBe("x");
    await expect(storage.write("a", Buffer.from("y"), { signal })).rejects.toMatchObject({
      title: "A backup is not overwritten",
    });
  });

  it("or deletes in batches is asked for each", async () => {
    const storage = await open();
    await storage.write("a", Buffer.from("x"), { signal });
    store.before = ({ query }) => (query.has("delete") ? error(501, "NotImplemented") : undefined);
    expect(await storage.remove(["a", "b"], signal)).toEqual([]);
    expect(store.objects.size).toBe(0);
  });
});

describe("a permission that is missing", () => {
  const denied = error(403, "AccessDenied", "Access Denied.");
  const large = () => Readable.from([randomBytes(9_000_000)]);
  it.each<readonly [string, (asked: S3Asked) => boolean, (storage: Storage) => Promise<unknown>]>([
    [
      "s3:GetObject",
      (it) => it.method === "GET" && it.path !== "",
      (storage) => storage.read("a", { signal }),
    ],
    ["s3:GetObject", (it) => it.method === "HEAD", (storage) => storage.stat("a", signal)],
    [
      "s3:PutObject",
      (it) => it.method === "PUT",
      (storage) => storage.write("a", Buffer.from("x"), { signal }),
    ],
    [
      "s3:PutObject",
      (it) => it.query.has("uploads"),
      (storage) => storage.write("a", large(), { signal }),
    ],
    ["s3:ListBucket", (it) => it.query.has("list-type"), (storage) => first(storage)],
    ["s3:DeleteObject", (it) => it.query.has("delete"), (storage) => storage.remove(["a"], signal)],
  ])("is named: %s", async (permission, is, act) => {
    const storage = await open();
    store.before = (asked) => (is(asked) ? denied : undefined);
    await expect(act(storage)).rejects.toMatchObject({
      title: "A permission for the bucket is missing",
      cause: expect.stringContaining("AccessDenied"),
      remedy: expect.stringContaining(permission),
    });
  });

  it("to lock is named too", async () => {
    const storage = await open({ lock: { mode: "governance", days: 1 } });
    store.before = ({ method }) => (method === "PUT" ? denied : undefined);
    await expect(storage.write("a", Buffer.from("x"), { signal })).rejects.toMatchObject({
      remedy: expect.stringContaining("s3:PutObjectRetention"),
    });
  });

  it("to abort leaves a warning, and the error that mattered", async () => {
    const storage = await open();
    store.before = ({ method, query }) =>
      method === "DELETE" || query.get("partNumber") === "2" ? denied : undefined;
    await expect(
      storage.write("a", Readable.from([randomBytes(20_000_000)]), { signal }),
    ).rejects.toThrow("s3:PutObject");
    expect(world.said.join()).toContain("could not be taken back");
  });

  it("to look lets whoever only may write still write", async () => {
    store.before = ({ method, query, path }) =>
      method === "HEAD" || (path === "" && query.has("list-type")) ? denied : undefined;
    await expect(open()).rejects.toThrow("s3:ListBucket");
    const storage = await open({ create: true });
    await storage.write("a", Buffer.from("x"), { signal });
    expect(store.objects.size).toBe(1);
    expect(world.said.join()).toContain("not proven");
  });

  it("shows in each key that cannot be deleted", async () => {
    const storage = await open();
    store.before = ({ query }) =>
      query.has("delete")
        ? {
            status: 200,
            body: "<DeleteResult><Deleted><Key>p/a</Key></Deleted><Error><Key>p/b</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error></DeleteResult>",
          }
        : undefined;
    expect(await storage.remove(["a", "b", "c"], signal)).toEqual([
      { name: "b", reason: "AccessDenied: Access Denied" },
      { name: "c", reason: "the storage does not say that it is gone" },
    ]);
  });
});

describe("what is learned of a server", () => {
  it("its region", async () => {
    const storage = await open({ region: "us-east-1" });
    store.before = ({ headers }) =>
      headers.authorization?.includes("/eu-west-3/") === true
        ? undefined
        : error(400, "AuthorizationHeaderMalformed", "wrong", "<Region>eu-west-3</Region>");
    await storage.write("a", Buffer.from("x"), { signal });
    expect(world.said.join()).toContain("is in the region eu-west-3, not us-east-1");
    store.before = () => error(301, "PermanentRedirect", "elsewhere");
    await expect(storage.stat("a", signal)).rejects.toMatchObject({
      title: "The bucket is in another region",
    });
  });

  it("its clock", async () => {
    const storage = await open();
    const theirs = Date.now() + 3_600_000;
    store.before = ({ headers }) => {
      const [, year, month, day, hour, minute, second] =
        /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(`${headers["x-amz-date"]}`) ?? [];
      const ours = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
      if (Math.abs(ours - theirs) < 900_000) return undefined;
      const date = new Date(theirs).toUTCString();
      return { ...error(403, "RequestTimeTooSkewed", "too large"), headers: { date } };
    };
    await storage.write("a", Buffer.from("x"), { signal });
    expect(world.said.join()).toMatch(
      /The clock of this runner is 3[56]\d\d s behind the storage's/,
    );
  });

  it("that keys expired", async () => {
    const storage = await open();
    store.before = () => error(400, "ExpiredToken", "The provided token has expired.");
    const expired = { title: "The keys for the bucket have expired" };
    await expect(storage.stat("a", signal)).rejects.toMatchObject(expired);
    await expect(storage.read("a", { signal })).rejects.toMatchObject(expired);
    // As MinIO says it.
    store.before = () => error(403, "InvalidTokenId", "The security token is invalid");
    await expect(storage.stat("a", signal)).rejects.toMatchObject(expired);
  });

  it("that a server cannot do what it is asked for", async () => {
    const storage = await open({ kmsKey: "alias/backups" });
    store.before = ({ method }) =>
      method === "PUT" ? error(501, "NotImplemented", "KMS is not configured") : undefined;
    await expect(storage.write("a", Buffer.from("x"), { signal })).rejects.toMatchObject({
      title: "The storage cannot do what is asked of it",
      cause: expect.stringContaining("KMS is not configured"),
    });
  });
});

it("takes back uploads of killed runs that are old, and only those below its own prefix", async () => {
  const storage = await open();
  const upload = (key: string, id: string, began: number) =>
    `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${new Date(began).toISOString()}</Initiated></Upload>`;
  const old = Date.now() - 6 * 86_400_000;
  const all = [
    upload("p/papers/1/%C3%A9+x", "old", old),
    upload("p/papers/2/a", "young", Date.now() - 86_400_000),
    upload("p/other/1/a", "other", old),
  ];
  store.before = ({ method, path, query }) =>
    method === "GET" && path === "" && query.has("uploads")
      ? {
          status: 200,
          body: `<ListMultipartUploadsResult>${all.join("")}</ListMultipartUploadsResult>`,
        }
      : undefined;
  await storage.write("papers/3/a", Buffer.from("x"), { signal });
  await storage.write("papers/3/b", Buffer.from("x"), { signal });
  const aborted = store.asked.filter(({ method }) => method === "DELETE");
  expect(aborted.map(({ path, query }) => [path, query.get("uploadId")])).toEqual([
    ["p/papers/1/é x", "old"],
  ]);
});

describe("answers that only look good", () => {
  it("an error within a 200 is one", async () => {
    const storage = await open();
    const isEnd = ({ method, query }: S3Asked) => method === "POST" && query.has("uploadId");
    once(isEnd, {
      status: 200,
      body: "  \n<?xml version='1.0'?><Error><Code>InternalError</Code></Error>",
    });
    const content = randomBytes(9_000_000);
    await storage.write("a", Readable.from([content]), { signal });
    expect(store.objects.get("p/a")?.content.equals(content)).toBe(true);
    store.before = (asked) =>
      isEnd(asked) ? { status: 200, body: "<Error><Code>InternalError</Code></Error>" } : undefined;
    await expect(storage.write("b", Readable.from([content]), { signal })).rejects.toThrow(
      "InternalError",
    );
    expect(store.objects.has("p/b")).toBe(false);
  });

  it("a web page is no list", async () => {
    store.before = () => ({ status: 200, body: "<!doctype html><title>Console</title>" });
    await expect(open()).rejects.toMatchObject({ title: "The storage answers strangely" });
  });

  it("a list without an end is left", async () => {
    const storage = await open();
    const body =
      "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>";
    store.before = () => ({ status: 200, body });
    await expect(async () => {
      for await (const found of storage.list("", signal)) expect(found).toBeUndefined();
    }).rejects.toThrow("goes on");
  });

  it("a frozen object is told as one", async () => {
    const storage = await open();
    store.before = ({ method }) =>
      method === "HEAD"
        ? {
            status: 200,
            headers: {
              "x-amz-storage-class": "INTELLIGENT_TIERING",
              "x-amz-archive-status": "DEEP_ARCHIVE_ACCESS",
            },
          }
        : error(
            403,
            "InvalidObjectState",
            "The operation is not valid for the object's storage class",
          );
    expect(await storage.stat("a", signal)).toMatchObject({ state: "frozen" });
    await expect(storage.read("a", { signal })).rejects.toMatchObject({
      title: "The object is frozen",
    });
  });

  it("silence is none for long", async () => {
    const wire = new Wire({}, undefined);
    let release = () => {};
    const quiet = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { createServer: createPlain } = await import("node:http");
    const server = createPlain(() => void quiet).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    const url = new URL(`http://127.0.0.1:${port}/`);
    const asked = { method: "GET", url, headers: {}, signal, silence: 100 } as const;
    await expect(wire.send(asked)).rejects.toThrow("nothing was heard for 0.1 s");
    release();
    server.closeAllConnections();
    server.close();
    wire[Symbol.dispose]();
  });
});

it("trusts a private authority where its certificate is given", async () => {
  const folder = mkdtempSync(join(tmpdir(), "s3-tls-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const names = ["-subj", "/CN=minio", "-addext", "subjectAltName=IP:127.0.0.1"];
  const args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", ...names];
  spawnSync("openssl", [...args, "-keyout", key, "-out", cert]);
  const [keyText, ca] = [readFileSync(key, "utf8"), readFileSync(cert, "utf8")];
  rmSync(folder, { recursive: true });
  const server = createServer(
    { key: keyText, cert: ca },
    (from, to) => void store.answer(from, to),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await expect(open({ endpoint })).rejects.toMatchObject({
    title: "The certificate of the storage is not trusted",
  });
  await expect(open({ endpoint, ca: "no certificate" })).rejects.toThrow("not in PEM form");
  const storage = await open({ endpoint, ca });
  await storage.write("a", Buffer.from("x"), { signal });
  expect(store.objects.size).toBe(1);
  const plain = store.origin.replace("http:", "https:");
  await expect(open({ endpoint: plain })).rejects.toMatchObject({
    title: "The storage does not speak TLS as it should",
    remedy: expect.stringContaining("http://"),
  });
  server.closeAllConnections();
  server.close();
});

it("hides the keys that it was given", async () => {
  await open({ sessionToken: "token-token" });
  expect(world.secrets.redact("secret-secret token-token")).toBe("*** ***");
});
