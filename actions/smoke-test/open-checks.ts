import { FormatError } from "../../shared/failure/index.ts";
import { askHttp, type Client, openClient, urlOf } from "../../shared/http/index.ts";
import {
  type Ask,
  addressText,
  askGrpc,
  askTcp,
  type Check,
  type Redact,
  type Target,
  type TlsOptions,
  type Trust,
  tlsOptions,
} from "../../shared/probe/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { HttpSpec } from "./check-spec.ts";
import type { ClusterSide } from "./cluster-side.ts";
import type { Options } from "./inputs.ts";
import { addressOf, commandText, destinationText, type Plan, pathsOf } from "./plan.ts";
import { unusable } from "./read-trust.ts";
import { SCHEMES } from "./read-url.ts";

/** The checks ready to be asked, and what was opened for them. */
export interface Opened {
  readonly checks: readonly Check[];
  readonly cluster: ClusterSide | undefined;
  close(): Promise<void>;
}

/**
 * Makes questions of plans. Nothing is asked yet; the cluster's credentials are looked up.
 *
 * @throws {UserError} when there is no cluster to talk to, or TLS cannot be set up.
 */
export async function openChecks(
  plans: readonly Plan[],
  options: Options,
  trust: Trust,
  world: World,
): Promise<Opened> {
  const needsCluster = plans.some(({ to, attest }) => to.kind !== "url" || attest);
  // The Kubernetes client is loaded only where it is needed: it takes longer than a request.
  const cluster = needsCluster
    ? await (await import("./cluster-side.ts")).openCluster(options, world)
    : undefined;
  const opening = new Opening(options, trust, world, cluster);
  const checks: Check[] = [];
  for (const plan of plans) checks.push(await opening.check(plan));
  return {
    checks,
    cluster,
    async close() {
      cluster?.close();
      await opening.close();
    },
  };
}

class Opening {
  readonly #options: Options;
  readonly #trust: Trust;
  readonly #world: World;
  readonly #cluster: ClusterSide | undefined;
  /** One client and one set of TLS options for each server name. */
  readonly #tls = new Map<string | undefined, TlsOptions>();
  readonly #clients = new Map<string | undefined, Promise<Client>>();

  constructor(options: Options, trust: Trust, world: World, cluster: ClusterSide | undefined) {
    this.#options = options;
    this.#trust = trust;
    this.#world = world;
    this.#cluster = cluster;
  }

  async check(plan: Plan): Promise<Check> {
    const { name, spec, to, pace, requests, atOnce } = plan;
    const { ask, subject } = await this.#question(plan);
    const target =
      to.kind === "url"
        ? urlTarget(destinationText(to), to.connectTo)
        : this.#side.target(plan, this.#targetName(plan));
    const attest = plan.attest ? this.#side.attest(plan, this.#options.images) : undefined;
    const kind = spec.type;
    const limit = spec.type === "http" ? undefined : spec.maxLatency;
    return {
      ...{ name, kind, target, subject, pace, requests, atOnce, attest },
      ask: limited(ask, limit),
      latency: spec.latency,
    };
  }

  async close(): Promise<void> {
    const clients = await Promise.all(this.#clients.values());
    await Promise.all(clients.map((client) => client.close()));
  }

  get #side(): ClusterSide {
    if (this.#cluster === undefined) throw new Error("a check needs a cluster that was not opened");
    return this.#cluster;
  }

  #targetName(plan: Plan): string {
    const { spec, to } = plan;
    if (spec.type === "exec" || to.kind === "ingress") return destinationText(to);
    if (spec.type === "http") return this.#base(plan).href.replace(/\/$/, "");
    return addressText(addressOf(to, this.#namespace));
  }

  get #namespace(): string {
    return this.#options.namespace ?? this.#cluster?.namespace ?? "default";
  }

  #base({ to, tls }: Plan): URL {
    if (to.kind === "url") return to.url;
    const address = addressText(addressOf(to, this.#namespace));
    // An Ingress tells its host and scheme when it is asked.
    return new URL(`${tls ? "https" : "http"}://${to.kind === "ingress" ? "ingress" : address}`);
  }

  async #question(plan: Plan): Promise<{ readonly ask: Ask; readonly subject: string }> {
    const { spec, to } = plan;
    const { secrets } = this.#world;
    const redact: Redact = (text) => secrets.redact(text);
    if (spec.type === "http") return this.#httpQuestion(plan, spec, redact);
    if (spec.type === "exec") {
      return { ask: this.#side.command(spec, plan, redact), subject: commandText(spec) };
    }
    const address = addressOf(to, this.#namespace);
    const secure = to.kind === "url" ? SCHEMES[to.url.protocol]?.tls === true : plan.tls;
    const tls = secure ? this.#tlsFor(plan.serverName) : undefined;
    const subject = addressText(address);
    if (spec.type === "tcp") {
      const { send, expect } = spec;
      const question = { address, tls, send, expect };
      const ask: Ask = (way, timeout, signal) => askTcp(question, way, { timeout, signal, redact });
      return { ask, subject };
    }
    const metadata = { ...this.#options.headers, ...spec.headers };
    const question = { address, tls, service: spec.service, metadata };
    const ask: Ask = (way, timeout, signal) => askGrpc(question, way, { timeout, signal, redact });
    return { ask, subject: `${subject}${spec.service && `/${spec.service}`}` };
  }

  async #httpQuestion(plan: Plan, spec: HttpSpec, redact: Redact) {
    const client = await this.#clientFor(plan.serverName);
    const { options, paths } = { options: this.#options, paths: pathsOf(spec, this.#options) };
    const { maxLatency, latency, expectation, version, answeredBy } = spec;
    const base = this.#base(plan);
    const question = {
      base,
      method: spec.method ?? "GET",
      paths,
      headers: { ...options.headers, ...spec.headers },
      body: spec.body,
      followRedirects: spec.followRedirects ?? options.followRedirects,
      expectation: { ...expectation, status: spec.status ?? options.status, maxLatency },
      health: spec.preset !== undefined,
      version,
      pod: answeredBy,
      // Latency counts to the end of the body; nothing else needs it.
      wholeBody: maxLatency !== undefined || latency.length > 0,
    };
    const ask: Ask = (way, timeout, signal) =>
      askHttp(client, question, way, { timeout, signal, redact });
    const place = plan.to.kind === "ingress" ? paths[0] : urlOf(base, paths[0]).href;
    return { ask, subject: `${question.method} ${place}` };
  }

  #clientFor(serverName: string | undefined): Promise<Client> {
    const { ca, certificate, insecure } = this.#trust;
    const plain = !insecure && [ca, certificate, serverName].every((each) => each === undefined);
    const open = () =>
      openClient(this.#world.environment, plain ? undefined : this.#tlsFor(serverName));
    const client = this.#clients.get(serverName) ?? open();
    this.#clients.set(serverName, client);
    return client;
  }

  #tlsFor(serverName: string | undefined): TlsOptions {
    try {
      const options = this.#tls.get(serverName) ?? tlsOptions({ ...this.#trust, serverName });
      this.#tls.set(serverName, options);
      return options;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      throw unusable(error.message, { error });
    }
  }
}

/** A URL, reached as it stands or at another address. */
function urlTarget(
  name: string,
  connectTo: { readonly host: string; readonly port: number } | undefined,
): Target {
  return { name, ways: async () => [{ via: connectTo }], failed: async (reason) => reason };
}

/** A question whose answer may take so long only. */
function limited(ask: Ask, limit: number | undefined): Ask {
  if (limit === undefined) return ask;
  return async (way, timeout, signal) => {
    const reply = await ask(way, timeout, signal);
    if (reply.milliseconds <= limit) return reply;
    const took = `it took ${Math.round(reply.milliseconds)} ms, at most ${limit} ms are allowed`;
    return { ...reply, reasons: [...reply.reasons, took] };
  };
}
