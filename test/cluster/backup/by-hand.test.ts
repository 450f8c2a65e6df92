import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { openBackup, type WrittenBackup, writeBackup } from "../../../shared/backup/index.ts";
import { bucketSource } from "../../../shared/bucket/index.ts";
import { directorySource } from "../../../shared/directory/index.ts";
import { type DumpFormat, postgresSource } from "../../../shared/postgres-dump/index.ts";
import { openUnsealer, type SealingSettings, through } from "../../../shared/sealing/index.ts";
import { openStorage } from "../../../shared/storage/index.ts";
import { PostgresServer } from "../../servers/postgres.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { scene, signingKeys } from "../../unit/backup/scene.ts";
import { Bucket } from "../storage/bucket.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../../docs/backup-format.md"), "utf8");
const WORD = "correct horse battery";
const FORMATS = { custom: "custom", directory: "directory", plain: "plain-sql" } as const;
const ROWS = "SELECT count(*), md5(string_agg(p::text, ',' ORDER BY id)) FROM papers p";

let server: PostgresServer;
let path: string;
let folder: string;
let recipient: string;
const ec = signingKeys("ec");

beforeAll(async () => {
  const endpoints = await resolveEndpoints(["postgres", "age", "cosign"]);
  server = await PostgresServer.start(endpoints.postgres["16"] ?? "");
  path = [endpoints.age, server.bin, endpoints.bin, process.env.PATH].join(":");
  folder = mkdtempSync(join(tmpdir(), "seaworthy-by-hand-"));
  server.query("CREATE DATABASE source");
  server.query(
    "CREATE TABLE papers (id int PRIMARY KEY, title text, body text); " +
      "INSERT INTO papers SELECT n, 'ümlaut ' || n, repeat(md5(n::text), 30) FROM generate_series(1, 20000) n",
    "source",
  );
  run("age-keygen -o key.txt 2>/dev/null");
  recipient = run("age-keygen -y key.txt").trim();
  writeFileSync(join(folder, "passphrase.txt"), `${WORD}\n`);
}, 60_000);

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function run(script: string, within = folder, environment: Record<string, string> = {}): string {
  const env = { ...process.env, PATH: path, HOME: folder, ...environment };
  const { status, stdout, stderr } = spawnSync("bash", ["-c", script], {
    cwd: within,
    env,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${script} ended with ${status}: ${stderr}`);
  return stdout;
}

/** The commands under a mark of the page. */
function commands(mark: string): string {
  const [, found] =
    new RegExp(`<!-- run: ${mark} -->\n\`\`\`sh\n([\\s\\S]*?)\`\`\``).exec(PAGE) ?? [];
  if (found === undefined) throw new Error(`The page has no commands "${mark}"`);
  return found;
}

const age = (): SealingSettings => ({
  compression: "zstd",
  encryption: { method: "age", recipients: [recipient] },
});
const openssl: SealingSettings = {
  compression: "gzip",
  encryption: { method: "openssl", passphrase: WORD },
};
const bare: SealingSettings = { compression: "none", encryption: { method: "none" } };

async function backUp(format: DumpFormat, sealing: SealingSettings, key = ec.key) {
  const { world } = scene(Date.now());
  const at = join(folder, "storage");
  const storage = await openStorage({ location: at, create: true }, world);
  const connection = { url: server.url("source") };
  const source = postgresSource({ connection, format, binaries: server.bin });
  const written = await writeBackup(
    source,
    storage,
    { name: "papers", sealing, signing: { key } },
    world,
  );
  const copy = mkdtempSync(join(folder, "copy-"));
  cpSync(join(at, written.folder), copy, { recursive: true });
  for (const file of ["key.txt", "passphrase.txt"]) cpSync(join(folder, file), join(copy, file));
  return { written, storage, copy };
}

describe("the page's commands", () => {
  it.each<[DumpFormat, string, () => SealingSettings]>([
    ["custom", "zstd and age", age],
    ["directory", "gzip and OpenSSL", () => openssl],
    ["directory", "zstd and age", age],
    ["plain", "nothing", () => bare],
  ])("restore a database dumped as %s and sealed with %s", async (format, _, sealing) => {
    const { copy } = await backUp(format, sealing());
    writeFileSync(join(copy, "backup.pub"), ec.publicKey);
    expect(run(commands("signature"), copy)).toBe("Verified OK\n");
    for (const mark of ["stored", "unseal", "plain"]) expect(run(commands(mark), copy)).toBe("");
    server.query("DROP DATABASE IF EXISTS target WITH (FORCE)");
    server.query("CREATE DATABASE target");
    run(commands(FORMATS[format]), copy, { TARGET: server.url("target") });
    expect(server.query(ROWS, "target")).toBe(server.query(ROWS, "source"));
    expect(
      server.query(
        "SELECT count(*) FROM pg_constraint WHERE contype = 'p' AND conrelid = 'papers'::regclass",
        "target",
      ),
    ).toBe("1");
    if (format !== "custom") return;
    server.query("DROP DATABASE target WITH (FORCE)");
    server.query("CREATE DATABASE target");
    run(commands("stream"), copy, { TARGET: server.url("target") });
    expect(server.query(ROWS, "target")).toBe(server.query(ROWS, "source"));
  });

  it("restore a folder and a bucket", async () => {
    const { world } = scene(Date.now());
    const { objectStore } = await resolveEndpoints(["minio"]);
    const { url: endpoint, ...keys } = objectStore;
    await using bucket = await new Bucket({ endpoint, ...keys }).create();
    const kept = await bucket.open({ location: `s3://${bucket.name}` });
    const { signal } = new AbortController();
    for (const key of ["a/ü b", "zero", "quote'\"$x"])
      await kept.write(key, Buffer.from(key === "zero" ? "" : key), { signal });
    await bucket.ask({ method: "PUT", key: "folder/" });
    const from = mkdtempSync(join(folder, "files-"));
    writeFileSync(join(from, "with\nline"), "x", { mode: 0o640 });
    const settings = { location: `s3://${bucket.name}`, endpoint, ...keys };
    const sources = { bucket: bucketSource(settings), folder: directorySource({ path: from }) };
    for (const [mark, source] of Object.entries(sources)) {
      const at = join(folder, mark);
      const storage = await openStorage({ location: at, create: true }, world);
      const name = `by-hand-${mark}`;
      const written = await writeBackup(source, storage, { name, sealing: bare }, world);
      const copy = join(at, written.folder);
      run(commands("unseal"), copy);
      run(`mkdir ${mark}-back && TARGET=${mark}-back && ${commands(mark)}`, copy);
    }
    const found = (mark: string) => run(`cd ${mark}/*/*/${mark}-back && find . -type f | sort`);
    expect(found("bucket")).toBe("./a/ü b\n./quote'\"$x\n./zero\n");
    expect(found("folder")).toBe("./with\nline\n");
  });

  it("notice a changed file, a changed manifest and another key", async () => {
    const { copy, written } = await backUp("custom", openssl);
    writeFileSync(join(copy, "backup.pub"), signingKeys("ec").publicKey);
    expect(() => run(commands("signature"), copy)).toThrow("ended with 1");
    writeFileSync(join(copy, "backup.pub"), ec.publicKey);
    const manifest = readFileSync(join(copy, "manifest.json"), "utf8");
    writeFileSync(join(copy, "manifest.json"), manifest.replace("papers", "others"));
    for (const mark of ["signature", "signature-cosign"])
      expect(() => run(commands(mark), copy)).toThrow("ended with 1");
    const file = join(copy, written.manifest.parts[0]?.file ?? "");
    chmodSync(file, 0o600);
    const bytes = readFileSync(file);
    bytes.writeUInt8(bytes.readUInt8(1000) ^ 1, 1000);
    writeFileSync(file, bytes);
    expect(() => run(commands("stored"), copy)).toThrow("did NOT match");
  });

  it.each(["ec", "ed25519"] as const)(
    "check a signature by cosign and by OpenSSL: %s",
    async (type) => {
      const { key, publicKey } = signingKeys(type);
      const { copy } = await backUp("plain", bare, key);
      writeFileSync(join(copy, "backup.pub"), publicKey);
      run(commands("signature-cosign"), copy);
      run(commands(type === "ec" ? "signature" : "signature-ed25519"), copy);
    },
  );
});

describe("what other programs encrypted", () => {
  const plain = Buffer.from("rows and rows\n".repeat(20_000));
  const open = async (sealed: Buffer, encryption: "age" | "openssl") => {
    const identities = readFileSync(join(folder, "key.txt"), "utf8");
    const unsealer = await openUnsealer(
      { identities, passphrase: `${WORD}\n` },
      scene().world.secrets,
    );
    const stages = await unsealer.stages({ compression: "zstd", encryption, iterations: 4321 });
    return buffer(through(Readable.from([sealed]), ...stages));
  };

  it.each([
    ["age", "age", "age -r $(age-keygen -y key.txt)"],
    ["age with armor", "age", "age --armor -r $(age-keygen -y key.txt)"],
    [
      "openssl",
      "openssl",
      "openssl enc -aes-256-cbc -pbkdf2 -iter 4321 -salt -pass file:passphrase.txt",
    ],
  ] as const)("is read: %s", async (_, encryption, command) => {
    const env = { ...process.env, PATH: path };
    const options = { cwd: folder, env, input: plain, maxBuffer: 1 << 26 };
    const sealed = execFileSync(
      "bash",
      ["-c", `set -o pipefail; zstd -q -c | ${command}`],
      options,
    );
    expect((await open(sealed, encryption)).equals(plain)).toBe(true);
  });
});

it("a backup by a passphrase of age opens again", async () => {
  const { storage, written } = await backUp("custom", {
    compression: "gzip",
    encryption: { method: "age", passphrase: WORD },
  });
  expect(await sizeOf(storage, written)).toBe(written.manifest.parts[0]?.bytes);
});

async function sizeOf(storage: Parameters<typeof openBackup>[0], { manifest }: WrittenBackup) {
  const { world } = scene();
  const opened = await openBackup(storage, manifest, { passphrase: WORD }, world);
  let bytes = 0;
  for await (const chunk of await opened.open("dump.pgdump", world.signal)) bytes += chunk.length;
  return bytes;
}
