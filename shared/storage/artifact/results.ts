import { UserError } from "../../failure/index.ts";
import { jsonIn, WebApi, wordsOf } from "../../web-api/index.ts";
import type { World } from "../../world/index.ts";

const SERVICE = "/twirp/github.actions.results.api.v1.ArtifactService/";

/** An artifact of this run, as the service tells it. */
export interface RunArtifact {
  readonly id: string;
  readonly name: string;
  /** Of the ZIP file. */
  readonly bytes: number;
  /** Milliseconds since the Unix epoch. */
  readonly created: number;
  /** Of the ZIP file, hexadecimal; undefined where the service does not know it. */
  readonly sha256: string | undefined;
}

/** The service that keeps the artifacts of the run that this job belongs to. */
export class Results implements Disposable {
  readonly #web: WebApi;
  readonly #base: URL;
  readonly #token: string;
  readonly #ids: Readonly<Record<string, string>>;
  readonly #world: World;

  private constructor(base: URL, token: string, ids: readonly [string, string], world: World) {
    this.#web = new WebApi(world);
    this.#base = base;
    this.#token = token;
    this.#ids = { workflow_run_backend_id: ids[0], workflow_job_run_backend_id: ids[1] };
    this.#world = world;
    world.secrets.add(token);
  }

  /** Undefined where this is no job that may keep artifacts. */
  static of(world: World): Results | undefined {
    const { ACTIONS_RESULTS_URL: address = "", ACTIONS_RUNTIME_TOKEN: token } = world.environment;
    const base = URL.parse(address);
    const ids = token ? idsIn(token) : undefined;
    return base === null || !token || ids === undefined
      ? undefined
      : new Results(base, token, ids, world);
  }

  [Symbol.dispose](): void {
    this.#web[Symbol.dispose]();
  }

  /**
   * Begins an artifact.
   *
   * @returns the address to send it to; undefined where the run has one of that name already.
   */
  async create(
    name: string,
    retentionDays: number | undefined,
    signal: AbortSignal,
  ): Promise<URL | undefined> {
    const until = this.#world.clock.now() + (retentionDays ?? 0) * 86_400_000;
    const lasting = retentionDays ? { expires_at: new Date(until).toISOString() } : {};
    const answer = await this.#ask("CreateArtifact", { name, version: 4, ...lasting }, signal);
    if (answer === undefined) return undefined;
    return this.#hidden(answer.signed_upload_url ?? answer.signedUploadUrl, "CreateArtifact");
  }

  /** Says that all of it was sent. */
  async finalize(name: string, bytes: number, sha256: string, signal: AbortSignal): Promise<void> {
    const sums = { size: `${bytes}`, hash: `sha256:${sha256}` };
    const answer = await this.#ask("FinalizeArtifact", { name, ...sums }, signal);
    if (answer?.ok !== true) throw strange("FinalizeArtifact", "it did not accept what was sent");
  }

  /** The artifacts of the run, or the one of a name. */
  async list(name: string | undefined, signal: AbortSignal): Promise<readonly RunArtifact[]> {
    const filter = name === undefined ? {} : { name_filter: name };
    const answer = await this.#ask("ListArtifacts", filter, signal);
    const { artifacts = [] } = (answer ?? {}) as { artifacts?: Record<string, unknown>[] };
    return artifacts.map((artifact) => ({
      id: `${artifact.database_id ?? artifact.databaseId ?? ""}`,
      name: `${artifact.name}`,
      bytes: Number(artifact.size ?? 0),
      created: Date.parse(`${artifact.created_at ?? artifact.createdAt}`) || 0,
      sha256: /^sha256:([0-9a-f]{64})$/.exec(`${artifact.digest ?? ""}`)?.[1],
    }));
  }

  /** Where an artifact of the run can be read. */
  async addressOf(name: string, signal: AbortSignal): Promise<URL | undefined> {
    const answer = await this.#ask("GetSignedArtifactURL", { name }, signal);
    const address = answer?.signed_url ?? answer?.signedUrl;
    return answer === undefined ? undefined : this.#hidden(address, "GetSignedArtifactURL");
  }

  async delete(name: string, signal: AbortSignal): Promise<void> {
    await this.#ask("DeleteArtifact", { name }, signal);
  }

  #hidden(address: unknown, method: string): URL {
    const url = URL.parse(`${address}`);
    if (url === null) throw strange(method, "it gave no address");
    for (const value of url.searchParams.values()) {
      if (value.length >= 20) this.#world.secrets.add(value);
    }
    return url;
  }

  /** Undefined where there is no such artifact, or one already. */
  async #ask(
    method: string,
    fields: object,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, unknown>> | undefined> {
    const answer = await this.#web.ask({
      ...{ method: "POST", url: new URL(SERVICE + method, this.#base.origin), signal },
      headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/json" },
      body: JSON.stringify({ ...this.#ids, ...fields }),
      service: "GitHub's service for artifacts",
    });
    const json = jsonIn(answer);
    if (answer.status === 200) return json;
    if (answer.status === 404 || answer.status === 409) return undefined;
    const words = [json.code, json.msg].filter(Boolean).join(": ") || wordsOf(answer);
    throw new UserError({
      title: "GitHub's service for artifacts refused",
      cause: `${method} answered ${answer.status}: ${words || "no words"}.`,
      remedy: /quota|storage/i.test(words)
        ? "The account's storage for artifacts is used up: delete old ones, shorten their retention, or keep backups in a bucket."
        : "Run the job again: the token for artifacts is valid for the run only.",
    });
  }
}

/** The run and the job, from the token's own claims. */
function idsIn(token: string): readonly [string, string] | undefined {
  const payload = Buffer.from(token.split(".")[1] ?? "", "base64url").toString();
  const { scp } = jsonIn({ text: payload });
  const [, run, job] = /(?:^| )Actions\.Results:([^: ]+):([^: ]+)(?: |$)/.exec(`${scp}`) ?? [];
  return run === undefined || job === undefined ? undefined : [run, job];
}

function strange(method: string, what: string): UserError {
  return new UserError({
    title: "GitHub's service for artifacts answers strangely",
    cause: `${method}: ${what}.`,
    remedy:
      "Run again; GitHub Enterprise Server needs to have this service (artifacts of version 4).",
  });
}
