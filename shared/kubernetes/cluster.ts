import { systemClock, type World } from "../world/index.ts";
import { type Asked, isNotFound, isTransient, Unreachable } from "./api-error.ts";
import {
  AGGREGATED,
  type GroupDiscoveryList,
  isAggregated,
  type ListedResource,
  type ServedResources,
  servedOf,
  servedOfLists,
} from "./discovery.ts";
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

/** What every write understands. */
export interface WriteOptions {
  /** Who is recorded as the owner of the fields that are set; `seaworthy` when left out. */
  readonly fieldManager?: string;
  /** Have the API server check and answer as if, admission included, and keep nothing. */
  readonly dryRun?: boolean;
  /** What happens to fields that the kind does not have: refused, warned of, or dropped. */
  readonly fieldValidation?: "Strict" | "Warn" | "Ignore";
  /** Takes what the API server warns of: deprecated versions, unknown fields, policies. */
  readonly onWarning?: (words: string) => void;
}

export interface ApplyOptions extends WriteOptions {
  /** Take fields over from other managers. */
  readonly force?: boolean;
}

export interface PatchOptions extends WriteOptions {
  /** `status`, `scale` ... */
  readonly subresource?: string;
}

export interface DeleteOptions {
  /** What becomes of what the object owns; `Background` when left out. */
  readonly propagation?: "Background" | "Foreground" | "Orphan";
  /** Delete it only as it was then: an object that has changed since answers 409 Conflict. */
  readonly resourceVersion?: string | undefined;
  /** Delete only this very object: one made anew under its name answers 409 Conflict. */
  readonly uid?: string | undefined;
  readonly gracePeriodSeconds?: number;
  readonly dryRun?: boolean;
}

/** Something that one may want to do. Name the kind, or the plural resource with its group. */
export interface Deed {
  /** A verb as RBAC knows it: get, list, watch, create, patch, delete ... */
  readonly verb: string;
  /** `apps/v1`; the group decides, the version does not. */
  readonly apiVersion: string;
  readonly kind?: string;
  /** Plural, in place of the kind, for what is no kind of its own. */
  readonly resource?: string;
  readonly subresource?: string;
  /** Left out: in all namespaces, or for the cluster. */
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

export interface Permission {
  readonly allowed: boolean;
  /** Why, where the API server says so. */
  readonly reason: string;
}

export type PatchType = "merge" | "strategic" | "json";

const PATCH_TYPES: Readonly<Record<PatchType, string>> = {
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  json: "application/json-patch+json",
};

const PAGE = 500;
/**
 * The server ends a watch after this; it is then opened anew. A connection that died without a
 * word, as behind a gateway that forgot it, shows by nothing else than that this end does not come:
 * so long may a change go unseen.
 */
const WATCH_SECONDS = 25;
const WATCH_SILENCE_MS = (WATCH_SECONDS + 5) * 1_000;
const LOG_SILENCE_MS = 6 * 3_600_000;
/** Pauses before the further tries of a read that failed in passing. */
const READ_RETRIES_MS = [150, 500, 1_000, 2_000];

/**
 * Opens the way to a cluster. Sends nothing yet: the first request tells whether it is there.
 *
 * @throws {UserError} when no credentials are found or they cannot be read.
 */
export async function connect(
  options: KubeconfigOptions,
  world: Pick<World, "signal" | "secrets" | "environment" | "log">,
): Promise<Cluster> {
  const kubeconfig = await loadKubeconfig(options, world);
  const transport = new Transport(kubeconfig, world);
  const redact = (text: string) => world.secrets.redact(text);
  return new Cluster(transport, kubeconfig, world.signal, { kinds: new Map(), redact });
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
  readonly #shared: Shared;

  constructor(
    transport: Transport,
    place: { readonly context: string; readonly namespace: string },
    signal: AbortSignal,
    shared: Shared,
  ) {
    this.#transport = transport;
    this.context = place.context;
    this.namespace = place.namespace;
    this.#signal = signal;
    this.#shared = shared;
  }

  /** Address of the API server. */
  get server(): string {
    return this.#transport.server;
  }

  /** The same cluster under another signal: for clean-up after the first one has aborted. */
  boundTo(signal: AbortSignal): Cluster {
    return new Cluster(this.#transport, this, signal, this.#shared);
  }

  /** The same cluster, whose every call ends after so many milliseconds from now on. */
  within(milliseconds: number): Cluster {
    return this.boundTo(AbortSignal.any([this.#signal, AbortSignal.timeout(milliseconds)]));
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

  /** All objects of a collection, read in pages, each made lean before the next is asked for. */
  async list<T extends KubernetesObject>(
    collection: Collection,
    lean: (item: T) => T = (item) => item,
  ): Promise<ObjectList<T>> {
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
      items.push(...answer.items.map((item) => lean({ ...item, apiVersion, kind })));
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

  /** Makes an object; one of that name that exists already answers 409 AlreadyExists. */
  async create<T extends KubernetesObject>(object: T, options: WriteOptions = {}): Promise<T> {
    const resource = await this.resource(object);
    const { namespace } = object.metadata;
    return this.#write<T>({
      method: "POST",
      path: pathOf(resource, namespace),
      query: queryOf(options),
      body: object,
      asked: askedOf("create", resource, { namespace }),
      onWarning: options.onWarning,
    });
  }

  /**
   * Puts an object in the place of the one that has its name. With a resourceVersion in its
   * metadata, only of that version: one that has changed since answers 409 Conflict.
   */
  async replace<T extends KubernetesObject>(object: T, options: WriteOptions = {}): Promise<T> {
    const resource = await this.resource(object);
    const { namespace, name } = object.metadata;
    return this.#write<T>({
      method: "PUT",
      path: pathOf(resource, namespace, name),
      query: queryOf(options),
      body: object,
      asked: askedOf("update", resource, { namespace, name }),
      onWarning: options.onWarning,
    });
  }

  /** Server-side apply. Fields that others own answer 409 Conflict unless they are forced. */
  async apply<T extends KubernetesObject>(object: T, options: ApplyOptions = {}): Promise<T> {
    const resource = await this.resource(object);
    const { namespace, name } = object.metadata;
    return this.#write<T>({
      method: "PATCH",
      path: pathOf(resource, namespace, name),
      query: { ...queryOf(options), force: options.force },
      body: object,
      contentType: "application/apply-patch+yaml",
      asked: askedOf("patch", resource, { namespace, name }),
      onWarning: options.onWarning,
    });
  }

  /** Changes parts of an object, or of a subresource of it. */
  async patch<T extends KubernetesObject>(
    ref: ObjectRef,
    patch: object,
    type: PatchType = "merge",
    options: PatchOptions = {},
  ): Promise<T> {
    const resource = await this.resource(ref);
    const { subresource } = options;
    return this.#write<T>({
      method: "PATCH",
      path: pathOf(resource, ref.namespace, ref.name, subresource),
      query: queryOf(options),
      body: patch,
      contentType: PATCH_TYPES[type],
      asked: askedOf("patch", resource, ref, subresource),
      onWarning: options.onWarning,
    });
  }

  /** Deletes an object; one that is gone already is no error. */
  async delete(ref: ObjectRef, options: DeleteOptions = {}): Promise<void> {
    const resource = await this.resource(ref);
    const { propagation = "Background", resourceVersion, uid, gracePeriodSeconds } = options;
    try {
      await this.#write({
        method: "DELETE",
        path: pathOf(resource, ref.namespace, ref.name),
        body: {
          apiVersion: "v1",
          kind: "DeleteOptions",
          propagationPolicy: propagation,
          gracePeriodSeconds,
          preconditions: { resourceVersion, uid },
          ...(options.dryRun === true ? { dryRun: ["All"] } : {}),
        },
        asked: askedOf("delete", resource, ref),
      });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /**
   * Whether these credentials may do something, asked of the API server itself
   * (SelfSubjectAccessReview). Some clusters answer for a webhook that decides elsewhere: a yes is
   * a yes of the moment.
   */
  async may(deed: Deed): Promise<Permission> {
    const { verb, apiVersion, kind, subresource, namespace, name } = deed;
    const plural = deed.resource ?? (await this.resource({ apiVersion, kind: kind ?? "" })).plural;
    const review = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: {
        resourceAttributes: {
          verb,
          group: groupOf(apiVersion),
          resource: plural,
          subresource,
          namespace,
          name,
        },
      },
    };
    const { status } = await this.#read<{ status?: { allowed?: boolean; reason?: string } }>({
      method: "POST",
      path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
      body: review,
      asked: {
        verb: "create",
        resource: "selfsubjectaccessreviews",
        group: "authorization.k8s.io",
      },
    });
    return { allowed: status?.allowed === true, reason: status?.reason ?? "" };
  }

  /**
   * All kinds that the server serves, in two requests; asked for once, or again when `fresh`: a
   * definition may have been installed since.
   */
  async resources({ fresh = false } = {}): Promise<ServedResources> {
    if (fresh) this.#shared.all = undefined;
    const all = this.#shared.all ?? this.#discoverAll();
    this.#shared.all = all;
    all.catch(() => {
      this.#shared.all = undefined;
    });
    return all;
  }

  /**
   * A text without the secrets that are known: to be asked before a part of a text is cut out, for
   * what is left of a secret is recognized by nobody.
   */
  redact(text: string): string {
    return this.#shared.redact(text);
  }

  /** The last lines of a container's log, not redacted. */
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

  /** The lines of a container's log from its beginning, as they come, until the container ends. */
  followLogs(options: Omit<LogOptions, "previous" | "tailLines">): AsyncGenerator<string> {
    const { namespace, pod, container } = options;
    return this.#transport.lines(
      {
        method: "GET",
        path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log`,
        query: { container, follow: true },
        asked: { verb: "get", resource: "pods/log", namespace, name: pod },
        // A program may be silent for long.
        patience: LOG_SILENCE_MS,
      },
      this.#signal,
    );
  }

  /**
   * Asks for a connection to a pod (exec, port-forward) without the upgrade that makes it one: a
   * refusal comes with its reason, which the upgrade's does not.
   */
  async askConnection(path: string, asked: Asked): Promise<void> {
    await this.#transport.text({ method: "GET", path, asked }, this.#signal);
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
    const { kinds } = this.#shared;
    const discovered = kinds.get(apiVersion) ?? this.#discover(apiVersion);
    kinds.set(apiVersion, discovered);
    try {
      return findKind(apiVersion, kind.kind, await discovered);
    } catch (error) {
      // A failure must not stick: the definition may be installed a moment later.
      kinds.delete(apiVersion);
      throw error;
    }
  }

  /** The credentials and the connection pool, for what is no ordinary request. */
  async access(): Promise<Access> {
    return this.#transport.access(this.#signal);
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

  async #discoverAll(): Promise<ServedResources> {
    const answers = await Promise.all(
      ["/api", "/apis"].map((path) =>
        this.#read<GroupDiscoveryList | LegacyGroups>({
          method: "GET",
          path,
          accept: AGGREGATED,
          asked: { verb: "get", resource: `kinds of ${path}` },
        }),
      ),
    );
    if (answers.every(isAggregated)) return servedOf(answers);
    const versions = answers.flatMap((answer) => (isAggregated(answer) ? [] : versionsOf(answer)));
    const lists = versions.map(async (version): Promise<[string, ListedResource[] | undefined]> => {
      // One extension that does not answer must not hide all others.
      const listed = await this.#discover(version).catch((error: unknown) => {
        if (isTransient(error)) return undefined;
        throw error;
      });
      return [version, listed === undefined ? undefined : [...listed]];
    });
    return servedOfLists(new Map(await Promise.all(lists)));
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

/** What all that speak with the same server share: what discovery found, and what is secret. */
interface Shared {
  readonly redact: (text: string) => string;
  /** By API version. */
  readonly kinds: Map<string, Promise<readonly DiscoveredResource[]>>;
  all?: Promise<ServedResources> | undefined;
}

/** The answers of /api and /apis of servers that know no aggregated discovery. */
interface LegacyGroups {
  readonly kind: "APIVersions" | "APIGroupList";
  readonly versions?: readonly string[];
  readonly groups?: readonly {
    readonly versions: readonly { readonly groupVersion: string }[];
    readonly preferredVersion?: { readonly groupVersion: string };
  }[];
}

/** The preferred version of each group first. */
function versionsOf({ versions = [], groups = [] }: LegacyGroups): string[] {
  return [
    ...versions,
    ...groups.flatMap(({ versions: all, preferredVersion }) => [
      ...new Set([preferredVersion, ...all].flatMap((one) => one?.groupVersion ?? [])),
    ]),
  ];
}

function queryOf({ fieldManager = "seaworthy", dryRun, fieldValidation }: WriteOptions) {
  return { fieldManager, dryRun: dryRun === true ? "All" : undefined, fieldValidation };
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
  subresource?: string,
): ApiRequest["asked"] {
  return {
    verb,
    resource: subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`,
    group: groupOf(resource.apiVersion),
    namespace: resource.namespaced ? where.namespace : undefined,
    name: where.name,
  };
}

/** Nothing listens there: another try within a second says the same. */
function isRefused(error: unknown): boolean {
  return error instanceof Unreachable && error.code === "ECONNREFUSED";
}
