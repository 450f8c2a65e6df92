import { createHash, randomBytes } from "node:crypto";
import { Secrets } from "../../../shared/secrets/index.ts";
import type { StorageSettings } from "../../../shared/storage/index.ts";
import { openStorage } from "../../../shared/storage/index.ts";
import { addressOf } from "../../../shared/storage/s3/address.ts";
import { S3Client, type S3Request } from "../../../shared/storage/s3/client.ts";
import { allIn, parseXml, textIn } from "../../../shared/storage/s3/xml.ts";
import { bodyOf } from "../../../shared/storage/transfer/wire.ts";
import { systemClock, type World } from "../../../shared/world/index.ts";

const { signal } = new AbortController();

/** A world whose warnings are kept, and whose pauses are short. */
export function testWorld(
  environment: World["environment"] = {},
  cancel: AbortSignal = signal,
): World & { readonly said: string[] } {
  const said: string[] = [];
  const keep = (text: string) => void said.push(text);
  const log = { info: keep, debug() {}, warning: keep, group() {} };
  const clock = {
    now: () => Date.now(),
    sleep: (ms: number, until?: AbortSignal) => systemClock.sleep(ms / 100, until),
  };
  const quiet = { AWS_EC2_METADATA_DISABLED: "true", HOME: "/nonexistent", ...environment };
  const signals = { signal: cancel, aftermath: signal };
  return { clock, log, secrets: new Secrets(), ...signals, environment: quiet, said };
}

/** A bucket of a test's own, asked by way of the client's own requests where a storage has no word. */
export class Bucket implements AsyncDisposable {
  readonly name = `storage-${randomBytes(5).toString("hex")}`;
  readonly settings: StorageSettings;
  readonly #client: S3Client;

  constructor(settings: Omit<StorageSettings, "location">) {
    this.settings = { location: `s3://${this.name}/prod`, ...settings };
    const address = addressOf(this.name, this.settings, {});
    this.#client = new S3Client(address, this.settings, testWorld(), undefined);
  }

  ask(request: Partial<S3Request> & Pick<S3Request, "method">) {
    const { expected = [404, 403, 409, 400] } = request;
    return this.#client.ask({ operation: "write", key: "", signal, ...request, expected });
  }

  async create(headers: Record<string, string> = {}): Promise<this> {
    const answer = await this.ask({ method: "PUT", headers, expected: [] });
    if (answer.status !== 200) throw new Error(answer.text);
    return this;
  }

  async post(query: Record<string, string>, xml: string, method: "PUT" | "POST" = "PUT", key = "") {
    const headers = { "content-md5": createHash("md5").update(xml).digest("base64") };
    const answer = await this.ask({ method, key, query, headers, body: bodyOf(xml), expected: [] });
    return answer.text;
  }

  /** Keys of unfinished uploads. MinIO tells only those of one whole key. */
  async unfinished(prefix: string): Promise<string[]> {
    const { text } = await this.ask({ method: "GET", query: { uploads: "", prefix } });
    return allIn(parseXml(text.trim()), "Upload").map((entry) => textIn(entry, "Key"));
  }

  async open(settings: Partial<StorageSettings> = {}, world: World = testWorld()) {
    return openStorage({ ...this.settings, ...settings }, world);
  }

  /** With all versions, by leave of whoever may bypass a lock. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { text } = await this.ask({ method: "GET", query: { versions: "" } });
    const root = parseXml(text.trim());
    for (const entry of [...allIn(root, "Version"), ...allIn(root, "DeleteMarker")]) {
      const [key, version] = [textIn(entry, "Key"), textIn(entry, "VersionId")];
      const query = version === "" ? {} : { versionId: version };
      const headers = { "x-amz-bypass-governance-retention": "true" };
      await this.ask({ method: "DELETE", key, query, headers });
    }
    for (const key of await this.unfinished("")) {
      const listed = await this.ask({ method: "GET", query: { uploads: "", prefix: key } });
      for (const entry of allIn(parseXml(listed.text.trim()), "Upload")) {
        await this.ask({ method: "DELETE", key, query: { uploadId: textIn(entry, "UploadId") } });
      }
    }
    await this.ask({ method: "DELETE" });
    this.#client[Symbol.dispose]();
  }
}
