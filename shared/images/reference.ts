/** Where images of one name are kept: a registry's host and a path in it. */
export interface Repository {
  /** Host, with its port where one is given. `docker.io` for Docker Hub. */
  readonly host: string;
  readonly path: string;
}

// The grammar of the OCI distribution specification, "Pulling manifests".
const PATH_COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const DIGEST = /^sha256:[a-f0-9]{64}$/;
// A first part without a dot, a port or the word localhost is a name on Docker Hub to all tools.
const HOST =
  /^(?:localhost|(?=[^:]*\.|[^:]*:\d)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[a-f0-9:]+\])(?::(\d{1,5}))?$/;
const LONGEST_NAME = 255;

/** What is wrong with the text; undefined when it is a tag. */
export function tagProblem(tag: string): string | undefined {
  if (TAG.test(tag)) return undefined;
  if (tag.length > 128) return "it is longer than 128 characters";
  return "a tag is made of letters, digits, `_`, `.` and `-`, and starts with none of the last two";
}

/** Whether the text is a sha256 digest, the one kind that registries use. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** What is wrong with the text; undefined when it can be the last part of an image's name. */
export function imageNameProblem(name: string): string | undefined {
  if (name.split("/").every((part) => PATH_COMPONENT.test(part))) return undefined;
  const near = name.toLowerCase();
  if (near !== name && imageNameProblem(near) === undefined) {
    return `an image's name has no capital letters; write ${near}`;
  }
  return "an image's name is made of a to z, 0 to 9, and single `.`, `_` or `-` between them";
}

/**
 * Reads a registry as users write it (`ghcr.io/owner`, `127.0.0.1:5000`): host and first part of
 * the path. Capital letters, which come from owners' names, are made small: registries accept
 * none. Gives a sentence when it is not one.
 */
export function parseRegistry(
  text: string,
): { readonly host: string; readonly path: string } | { readonly problem: string } {
  const plain = text.toLowerCase();
  if (/^[a-z]+:\/\//.test(plain)) return { problem: "leave out the protocol" };
  const [host = "", ...parts] = plain.replace(/\/$/, "").split("/");
  const port = HOST.exec(host)?.[1];
  if (!HOST.test(host) || Number(port ?? 1) > 65_535 || Number(port ?? 1) === 0) {
    return { problem: `${JSON.stringify(host)} is no host; for Docker Hub write docker.io/...` };
  }
  const wrong = parts.find((part) => !PATH_COMPONENT.test(part));
  if (wrong !== undefined) return { problem: `${JSON.stringify(wrong)} cannot be part of a path` };
  return { host: host === "index.docker.io" ? "docker.io" : host, path: parts.join("/") };
}

/** The repository of an image below a registry, or a sentence on why it cannot be one. */
export function repositoryBelow(
  registry: { readonly host: string; readonly path: string },
  name: string,
): Repository | { readonly problem: string } {
  const path = registry.path === "" ? name : `${registry.path}/${name}`;
  const repository = { host: registry.host, path };
  const { length } = nameOf(repository);
  if (length > LONGEST_NAME) {
    return {
      problem: `with the registry it has ${length} characters; ${LONGEST_NAME} are allowed`,
    };
  }
  return repository;
}

/** `host/path`, as programs take it. */
export function nameOf({ host, path }: Repository): string {
  return `${host}/${path}`;
}

/**
 * Whether a registry is on this machine. Docker, BuildKit and containerd speak plain http to such
 * a one, and to no other unless told so.
 */
export function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, "");
  return name === "localhost" || name === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(name);
}
