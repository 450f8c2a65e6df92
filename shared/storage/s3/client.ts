import { createHash } from "node:crypto";
import { codeOf, UserError } from "../../failure/index.ts";
import { type AwsKeys, signatureHeaders } from "../../sign-in/index.ts";
import type { World } from "../../world/index.ts";
import type { StorageSettings } from "../settings.ts";
import { type Answer, type Body, Wire, type WireRequest } from "../transfer/wire.ts";
import { type Address, amazonAddress, urlOf } from "./address.ts";
import { Keys, type KeysWorld } from "./keys.ts";
import type { Operation } from "./operation.ts";
import { refusal, unreachable, wordsIn } from "./refusal.ts";

export interface S3Request {
  readonly operation: Operation;
  readonly method: WireRequest["method"];
  /** Empty for the bucket itself. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body | undefined;
  readonly signal: AbortSignal;
  readonly streamed?: boolean;
  /** Statuses that are an answer too, and not thrown. */
  readonly expected?: readonly number[];
  /** Codes of refusals that are an answer too. */
  readonly expectedCodes?: readonly string[];
  /** How often it is tried again; four times when left out. */
  readonly retries?: number;
}

export interface S3Answer extends Answer {
  /** How often it was sent before this answer came: an earlier one may have been done, too. */
  readonly retried: number;
}

const SILENCE_MS = 30_000;
/** A server that puts thousands of parts together may think for long. */
const THINKING_MS = 180_000;
const RETRIES = 4;
const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 20_000;
const PASSING = new Set([408, 429, 500, 502, 503, 504]);
const PASSING_CODES = new Set([
  ...["SlowDown", "InternalError", "RequestTimeout", "ServiceUnavailable", "OperationAborted"],
  ...["ConditionalRequestConflict", "BadDigest", "XAmzContentSHA256Mismatch", "IncompleteBody"],
  ...[
    "XAmzContentChecksumMismatch",
    "RequestTimeoutException",
    "Throttling",
    "ThrottlingException",
  ],
]);
/** Nothing of the sort heals by asking again. */
const LASTING =
  /^(?:CERT_|ERR_TLS_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_|EPROTO|ERR_SSL_|ENOTFOUND|ERR_INVALID|EACCES)/;

/** Asks one bucket, signed, again where that may help, and with what it learns of the server. */
export class S3Client implements Disposable {
  readonly #settings: StorageSettings;
  readonly #world: KeysWorld;
  readonly #wire: Wire;
  #address: Address;
  #keys: Keys;
  /** The server's clock against ours, in milliseconds. */
  #skew = 0;

  constructor(
    address: Address,
    settings: StorageSettings,
    world: KeysWorld & Pick<World, "environment">,
    ca: string | undefined,
  ) {
    this.#address = address;
    this.#settings = settings;
    this.#world = world;
    this.#wire = new Wire(world.environment, ca);
    this.#keys = new Keys(settings, address, world);
  }

  [Symbol.dispose](): void {
    this.#wire[Symbol.dispose]();
  }

  get address(): Address {
    return this.#address;
  }

  /**
   * The answer, when it is one of success or an expected one.
   *
   * @throws {UserError} when the server refuses, or is not to be reached.
   * @throws the reason of the request's signal when that aborts.
   */
  async ask(request: S3Request): Promise<S3Answer> {
    const { signal, retries = RETRIES } = request;
    const mended = new Set<string>();
    for (let retried = 0, pauses = 0; ; retried += 1) {
      const { keys, by } = await this.#keys.get(signal);
      const question = { ...request, address: this.#address, by };
      let answer: Answer | undefined;
      let problem: unknown;
      try {
        answer = await this.#worded(request, keys, await this.#send(request, keys));
      } catch (error) {
        signal.throwIfAborted();
        problem = unreachable(question, error);
        if (error instanceof UserError) throw error;
        if (LASTING.test(codeOf(error) ?? "") || pauses >= retries) throw problem;
      }
      if (answer !== undefined) {
        if (isAnswer(answer, request)) return { ...answer, retried };
        if (this.#mend(answer, mended)) continue;
        problem = refusal(question, answer);
        if (!passes(answer) || pauses >= retries) throw problem;
      }
      this.#world.log.debug(
        `${problem instanceof Error ? problem.message : ""} It is tried again.`,
      );
      await this.#world.clock.sleep(pauseOf(pauses, answer), signal);
      pauses += 1;
    }
  }

  /**
   * The refusal of a HEAD has no body, and so no word on why: asked for the first byte instead, the
   * server says it.
   */
  async #worded(request: S3Request, keys: AwsKeys, answer: Answer): Promise<Answer> {
    const isWordless = (status: number) => status === 400 || status === 403;
    if (request.method !== "HEAD" || !isWordless(answer.status)) return answer;
    const { signal, key, operation } = request;
    const headers = { range: "bytes=0-0" };
    const asked = { operation, method: "GET", key, headers, signal, streamed: true } as const;
    const told = await this.#send(asked, keys);
    told.cancel?.();
    return isWordless(told.status) && told.text !== "" ? told : answer;
  }

  #send(request: S3Request, keys: AwsKeys): Promise<Answer> {
    const { method, key, query = {}, headers = {}, body, signal } = request;
    const url = urlOf(this.#address, key, query);
    const hash = body?.sha256.toString("hex") ?? EMPTY;
    const named = { ...headers, "x-amz-content-sha256": hash };
    const { region } = this.#address;
    const now = this.#world.clock.now() + this.#skew;
    const signature = signatureHeaders(
      { url, method, headers: named, body: "", bodyHash: hash, region, service: "s3", now },
      keys,
    );
    const all = { ...named, ...signature };
    const silence = method === "POST" ? THINKING_MS : SILENCE_MS;
    const streamed = request.streamed === true;
    return this.#wire.send({ method, url, headers: all, body, signal, silence, streamed });
  }

  /** Learns of an answer what makes the next one a better one: once for each kind of trouble. */
  #mend(answer: Answer, mended: Set<string>): boolean {
    const { code, region } = wordsIn(answer);
    const kind = this.#kindOfTrouble(code, region, answer.status);
    if (kind === undefined || mended.has(kind)) return false;
    mended.add(kind);
    if (kind === "keys") this.#keys.forget();
    if (kind === "region") this.#moveTo(region);
    if (kind === "clock") return this.#setClock(answer.headers.date);
    return true;
  }

  #kindOfTrouble(code: string, region: string, status: number): string | undefined {
    if (code === "ExpiredToken" || code === "TokenRefreshRequired") return "keys";
    if (code === "RequestTimeTooSkewed") return "clock";
    const isElsewhere = region !== "" && region !== this.#address.region;
    return isElsewhere && [301, 307, 400, 403].includes(status) ? "region" : undefined;
  }

  #moveTo(region: string): void {
    const { bucket, isAmazon } = this.#address;
    this.#world.log.info(
      `The bucket ${bucket} is in the region ${region}, not ${this.#address.region}: it is asked there`,
    );
    this.#address = isAmazon
      ? amazonAddress(bucket, region, this.#settings.pathStyle)
      : { ...this.#address, region };
    this.#keys = new Keys(this.#settings, this.#address, this.#world);
  }

  #setClock(date: string | undefined): boolean {
    const theirs = Date.parse(date ?? "");
    if (Number.isNaN(theirs)) return false;
    this.#skew = theirs - this.#world.clock.now();
    const seconds = Math.round(Math.abs(this.#skew) / 1_000);
    const which = this.#skew > 0 ? "behind" : "ahead of";
    this.#world.log.warning(
      `The clock of this runner is ${seconds} s ${which} the storage's; requests are signed with the storage's time. Times in the backup are the runner's own.`,
      "The clock of the runner is wrong",
    );
    return true;
  }
}

const EMPTY = createHash("sha256").digest("hex");

const IS_ERROR = /^\s*(?:<\?xml[^>]*\?>)?\s*<Error[\s>]/;

/** A success that holds an error is none: putting parts together answers 200 before it is done. */
function isAnswer(answer: Answer, { expected = [], expectedCodes = [] }: S3Request): boolean {
  if (expected.includes(answer.status)) return true;
  const isGood = answer.status >= 200 && answer.status < 300;
  if (isGood) return answer.stream !== undefined || !IS_ERROR.test(answer.text.slice(0, 1_000));
  return expectedCodes.includes(wordsIn(answer).code);
}

function passes(answer: Answer): boolean {
  const { code } = wordsIn(answer);
  if (code === "NotImplemented") return false;
  return PASSING.has(answer.status) || PASSING_CODES.has(code);
}

/** Twice as long each time, and not all at once: half of it is chance. */
function pauseOf(pauses: number, answer: Answer | undefined): number {
  const asked = Number(answer?.headers["retry-after"] ?? "0") * 1_000;
  const pause = FIRST_PAUSE_MS * 2 ** pauses * (0.5 + Math.random() / 2);
  return Math.min(Math.max(pause, Number.isNaN(asked) ? 0 : asked), LONGEST_PAUSE_MS);
}
