import { systemClock, type World } from "../world/index.ts";
import { isNotFound, isTransient, Unreachable } from "./api-error.ts";
import { type KubeconfigOptions, loadKubeconfig } from "./kubeconfig.ts";
import type { KubernetesObject, ObjectRef } from "./object.ts";
import {
  type ApiResource,
  apiRoot,
  builtIn,
  type DiscoveredResource,
  findKind,
  groupOf,
  pathOf,
} from "./resource.ts";
import { type Access, type ApiRequest, Transport } from "./transport.ts";

/** The objects of one kind, in one namespace or in all. */
export interface Collection {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string | undefined;
  /** `app=web,tier!=db` */
  readonly labelSelector?: string | undefined;
  /** `metadata.name=web` */
  readonly fieldSelector?: string | undefined;
}

export interface ObjectList<T extends KubernetesObject = KubernetesObject> {
  readonly items: readonly T[];
  /** Where a watch goes on from. */
  readonly resourceVersion: string;
}

export interface WatchEvent<T extends KubernetesObject = KubernetesObject> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: T;
}

export interface LogOptions {
  readonly namespace: string;
  readonly pod: string;
  readonly container?: string | undefined;
  /** The log of the container's run before this one. */
  readonly previous?: boolean;
  readonly tailLines?: number;
}

export interface ApplyOptions {
  readonly fieldManager?: string;
  /** Take fields over from other managers. */
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

export type PatchType = "merge" | "strategic" | "json";

const PATCH_TYPES: Readonly<Record<PatchType, string>> = {
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  json: "application/json-patch+json",
};

const PAGE = 500;
/** The server ends a watch after this; it is then opened anew. */
const WATCH_SECONDS = 290;
/** Bookmarks come about every minute, so that a longer silence means a dead connection. */
const WATCH_SILENCE_MS = 100_000;
/** Pauses before the further tries of a read that failed in passing. */
const READ_RETRIES_MS = [150, 500];

/**
 * Opens the way to a cluster. Sends nothing yet: the first request tells whether it is there.
 *
 * @throws {UserError} when no credentials are found or they cannot be read.
 */
export async function connect(
  options: KubeconfigOptions,
  world: Pick<World, "signal" | "secrets" | "environment" | "log">,
): Promise<Cluster> {
  const config = await loadKubeconfig(options, world);
  const context = config.getContextObject(config.getCurrentContext());
  const place = {
    context: config.getCurrentContext(),
    namespace: context?.namespace || "default",
  };
  return new Cluster(new Transport(config, world), place, world.signal, new Map());
}

/**
 * One API server and one set of credentials. Every call ends with the signal's reason when the
 * signal that the cluster is bound to aborts, and throws ApiError or Unreachable (both UserError).
 */
export class Cluster {
  /** Name of the kubeconfig's context. */
  readonly context: string;
  /** The context's namespace, `default` where it names none. */
  readonly namespace: string;
  readonly #transport: Transport;
  readonly #signal: AbortSignal;
  readonly #discovered: Map<string, Promise<readonly DiscoveredResource[]>>;

  constructor(
    transport: Transport,
    place: { readonly context: string; readonly namespace: string },
    signal: AbortSignal,
    discovered: Map<string, Promise<readonly DiscoveredResource[]>>,
  ) {
    this.#transport = transport;
    this.context = place.context;
    this.namespace = place.namespace;
    this.#signal = signal;
    this.#discovered = discovered;
  }

  /** Address of the API server. */
  get server(): string {
    return this.#transport.server;
  }

  /** The same cluster under another signal: for clean-up after the first one has aborted. */
  boundTo(signal: AbortSignal): Cluster {
    return new Cluster(this.#transport, this, signal, this.#discovered);
  }

  async get<T extends KubernetesObject>(ref: ObjectRef): Promise<T> {
    const resource = await this.resource(ref);
    return this.#read<T>({
      method: "GET",
      path: pathOf(resource, ref.namespace, ref.name),
      asked: askedOf("get", resource, ref),
    });
  }

  /** The object, or undefined when it does not exist. */
  async find<T extends KubernetesObject>(ref: ObjectRef): Promise<T | undefined> {
    try {
      return await this.get<T>(ref);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** All objects of a collection, read in pages. */
  async list<T extends KubernetesObject>(collection: Collection): Promise<ObjectList<T>> {
    const { apiVersion, kind } = collection;
    const resource = await this.resource(collection);
    const items: T[] = [];
    let page: string | undefined;
    for (;;) {
      const answer = await this.#read<ListAnswer<T>>({
        method: "GET",
        path: pathOf(resource, collection.namespace),
        query: { ...selectorsOf(collection), limit: PAGE, continue: page },
        asked: askedOf("list", resource, collection),
      });
      // Items of a list carry neither apiVersion nor kind.
      items.push(...answer.items.map((item) => ({ ...item, apiVersion, kind })));
      page = answer.metadata.continue || undefined;
      if (page === undefined) return { items, resourceVersion: answer.metadata.resourceVersion };
    }
  }

  /**
   * What happens to a collection after `resourceVersion`, until the server ends the watch (which
   * it does every few minutes). `follow` keeps one going.
   */
  async *watch<T extends KubernetesObject>(
    collection: Collection,
    resourceVersion: string,
  ): AsyncGenerator<WatchEvent<T>> {
    const resource = await this.resource(collection);
    const lines = this.#transport.lines(
      {
        method: "GET",
        path: pathOf(resource, collection.namespace),
        query: {
          ...selectorsOf(collection),
          watch: true,
          allowWatchBookmarks: true,
          resourceVersion,
          timeoutSeconds: WATCH_SECONDS,
        },
        asked: askedOf("watch", resource, collection),
        patience: WATCH_SILENCE_MS,
      },
      this.#signal,
    );
    for await (const line of lines) yield this.#event<T>(line);
  }

  async create<T extends KubernetesObject>(object: T): Promise<T> {
    const resource = await this.resource(object);
    const { namespace } = object.metadata;
    return this.#write<T>({
      method: "POST",
      path: pathOf(resource, namespace),
      body: object,
      asked: askedOf("create", resource, { namespace }),
    });
  }

  /** Server-side apply. */
  async apply<T extends KubernetesObject>(object: T, options: ApplyOptions = {}): Promise<T> {
    const resource = await this.resource(object);
    const { namespace, name } = object.metadata;
    return this.#write<T>({
      method: "PATCH",
      path: pathOf(resource, namespace, name),
      query: {
        fieldManager: options.fieldManager ?? "seaworthy",
        force: options.force,
        dryRun: options.dryRun === true ? "All" : undefined,
      },
      body: object,
      contentType: "application/apply-patch+yaml",
      asked: askedOf("patch", resource, { namespace, name }),
    });
  }

  async patch<T extends KubernetesObject>(
    ref: ObjectRef,
    patch: object,
    type: PatchType = "merge",
  ): Promise<T> {
    const resource = await this.resource(ref);
    return this.#write<T>({
      method: "PATCH",
      path: pathOf(resource, ref.namespace, ref.name),
      body: patch,
      contentType: PATCH_TYPES[type],
      asked: askedOf("patch", resource, ref),
    });
  }

  /**
   * Deletes an object; one that is gone already is no error. With `resourceVersion`, only as it
   * was then: an object that has changed since answers 409 Conflict.
   */
  async delete(
    ref: ObjectRef,
    propagation: "Background" | "Foreground" | "Orphan" = "Background",
    resourceVersion?: string,
  ): Promise<void> {
    const resource = await this.resource(ref);
    try {
      await this.#write({
        method: "DELETE",
        path: pathOf(resource, ref.namespace, ref.name),
        body: {
          apiVersion: "v1",
          kind: "DeleteOptions",
          propagationPolicy: propagation,
          ...(resourceVersion === undefined ? {} : { preconditions: { resourceVersion } }),
        },
        asked: askedOf("delete", resource, ref),
      });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** The last lines of a container's log. */
  async logs(options: LogOptions): Promise<string> {
    const { namespace, pod, container, previous, tailLines } = options;
    const request: ApiRequest = {
      method: "GET",
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log`,
      query: { container, previous, tailLines },
      asked: { verb: "get", resource: "pods/log", namespace, name: pod },
    };
    return this.#transport.text(request, this.#signal);
  }

  /**
   * Asks for a port-forward without the upgrade that makes it one: a refusal comes with its
   * reason, which the upgrade's does not.
   */
  async askPortForward(target: {
    readonly namespace: string;
    readonly pod: string;
    readonly port: number;
  }): Promise<void> {
    const { namespace, pod, port } = target;
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/portforward`;
    const asked = { verb: "get", resource: "pods/portforward", namespace, name: pod };
    await this.#transport.text(
      { method: "GET", path, query: { ports: port }, asked },
      this.#signal,
    );
  }

  /** The version that the API server reports: `v1.34.4`. */
  async version(): Promise<string> {
    const asked = { verb: "get", resource: "version" };
    const answer = await this.#read<{ gitVersion: string }>({
      method: "GET",
      path: "/version",
      asked,
    });
    return answer.gitVersion;
  }

  /**
   * How the server serves a kind; asked for once for each API version that is not built in.
   *
   * @throws {UserError} when the server has no such kind.
   */
  async resource(kind: {
    readonly apiVersion: string;
    readonly kind: string;
  }): Promise<ApiResource> {
    const { apiVersion } = kind;
    const known = builtIn(apiVersion, kind.kind);
    if (known !== undefined) return known;
    const discovered = this.#discovered.get(apiVersion) ?? this.#discover(apiVersion);
    this.#discovered.set(apiVersion, discovered);
    // A failure must not stick: the definition may be installed a moment later.
    discovered.catch(() => this.#discovered.delete(apiVersion));
    return findKind(apiVersion, kind.kind, await discovered);
  }

  /** The credentials and the connection pool, for what is no ordinary request. */
  async access(): Promise<Access> {
    return this.#transport.access();
  }

  async #discover(apiVersion: string): Promise<readonly DiscoveredResource[]> {
    try {
      const answer = await this.#read<{ resources: readonly DiscoveredResource[] }>({
        method: "GET",
        path: apiRoot(apiVersion),
        asked: { verb: "get", resource: `kinds of ${apiVersion}` },
      });
      return answer.resources;
    } catch (error) {
      if (isNotFound(error)) return [];
      throw error;
    }
  }

  /** A read may be tried again: it changes nothing. */
  async #read<T>(request: ApiRequest): Promise<T> {
    for (const pause of READ_RETRIES_MS) {
      try {
        return await this.#transport.json<T>(request, this.#signal);
      } catch (error) {
        if (!isTransient(error) || isRefused(error)) throw error;
        await systemClock.sleep(pause, this.#signal);
      }
    }
    return this.#transport.json<T>(request, this.#signal);
  }

  async #write<T>(request: ApiRequest): Promise<T> {
    return this.#transport.json<T>(request, this.#signal);
  }

  #event<T extends KubernetesObject>(line: string): WatchEvent<T> {
    try {
      return JSON.parse(line) as WatchEvent<T>;
    } catch (error) {
      // The connection broke in the middle of a line.
      throw new Unreachable(this.server, error);
    }
  }
}

interface ListAnswer<T> {
  readonly items: readonly T[];
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
}

function selectorsOf({ labelSelector, fieldSelector }: Collection) {
  return { labelSelector, fieldSelector };
}

function askedOf(
  verb: string,
  resource: ApiResource,
  where: { readonly namespace?: string | undefined; readonly name?: string | undefined },
): ApiRequest["asked"] {
  return {
    verb,
    resource: resource.plural,
    group: groupOf(resource.apiVersion),
    namespace: resource.namespaced ? where.namespace : undefined,
    name: where.name,
  };
}

/** Nothing listens there: another try within a second says the same. */
function isRefused(error: unknown): boolean {
  return error instanceof Unreachable && error.code === "ECONNREFUSED";
}
