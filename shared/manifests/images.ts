import { nearestName, UserError } from "../failure/index.ts";
import { repositoryOf } from "../image-map/index.ts";
import type { SourcedObject } from "./objects.ts";

/** An image that is to run. */
export interface PinnedImage {
  /** What people call it: its key in the digest map. */
  readonly service: string;
  /** `registry.example/shop/web` */
  readonly repository: string;
  readonly tag?: string | undefined;
  /** `sha256:...` */
  readonly digest: string;
}

type Tree = Readonly<Record<string, unknown>>;

/** The lists of containers of a pod, wherever in an object a pod's template stands. */
const LISTS = ["containers", "initContainers", "ephemeralContainers"];
/** Kinds that may hold such words without meaning containers. */
const NO_PODS = new Set(["ConfigMap", "Secret", "CustomResourceDefinition"]);

/**
 * Puts images in their places by name, as the `images` of a kustomization does: the image of every
 * container whose name, without tag and digest, is that of an image. A name is the image's
 * repository, its service's name, or what `names` says for the service. The result is pinned:
 * `repository:tag@digest`.
 *
 * @throws {UserError} naming near ones, when an image fits no container.
 */
export function setImages(
  objects: readonly SourcedObject[],
  images: readonly PinnedImage[],
  names: Readonly<Record<string, string>> = {},
): readonly SourcedObject[] {
  if (images.length === 0) return objects;
  const strange = Object.keys(names).find((name) =>
    images.every(({ service }) => service !== name),
  );
  if (strange !== undefined) throw unknownService(strange, images);
  const used = new Set<string>();
  const seen = new Set<string>();
  const place = (image: string): string => {
    const name = repositoryOf(image);
    seen.add(name);
    const match = images.find((one) => matches(one, name, names[one.service]));
    if (match === undefined) return image;
    used.add(match.service);
    return pinned(match);
  };
  const result = objects.map(({ object, origin }) => ({
    origin,
    object: NO_PODS.has(object.kind) ? object : (withImages(object, place) as typeof object),
  }));
  const unused = images.filter(({ service }) => !used.has(service));
  if (unused.length > 0) throw unplaced(unused, names, [...seen].sort());
  return result;
}

/** `repository:tag@digest`; the digest decides, the tag is for people. */
export function pinned({ repository, tag, digest }: PinnedImage): string {
  return `${repository}${tag ? `:${tag}` : ""}@${digest}`;
}

function matches(image: PinnedImage, name: string, given: string | undefined): boolean {
  const wanted = given === undefined ? [image.repository, image.service] : [repositoryOf(given)];
  return wanted.some((one) => one === name || inFull(one) === inFull(name));
}

/** A name as a container runtime completes it: `nginx` is docker.io/library/nginx. */
function inFull(name: string): string {
  const [first = "", ...rest] = name.split("/");
  const hasHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  if (!hasHost) return `docker.io/${rest.length === 0 ? `library/${name}` : name}`;
  return first === "index.docker.io" ? ["docker.io", ...rest].join("/") : name;
}

function withImages(node: unknown, place: (image: string) => string): unknown {
  if (Array.isArray(node)) return node.map((item) => withImages(item, place));
  if (!isTree(node)) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => {
      const inner = withImages(value, place);
      const isList = LISTS.includes(key) && Array.isArray(inner);
      return [key, isList ? inner.map((container) => withImage(container, place)) : inner];
    }),
  );
}

function withImage(container: unknown, place: (image: string) => string): unknown {
  if (!isTree(container) || typeof container.image !== "string") return container;
  return { ...container, image: place(container.image) };
}

function unplaced(
  images: readonly PinnedImage[],
  names: Readonly<Record<string, string>>,
  seen: readonly string[],
): UserError {
  const lines = images.map(({ service, repository }) => {
    const wanted = names[service] ?? repository;
    const near =
      nearestName(wanted, seen) ?? seen.find((name) => lastPart(name) === lastPart(wanted));
    const hint = near === undefined ? "" : ` The nearest is ${near}.`;
    const sought = names[service] ?? `${repository} or ${service}`;
    return `${service}: no container of the manifests has the image ${sought}.${hint}`;
  });
  const [first] = images;
  const known =
    seen.length === 0
      ? "The manifests name no images."
      : `Their images are ${seen.slice(0, 12).join(", ")}${seen.length > 12 ? `, and ${seen.length - 12} more` : ""}.`;
  return new UserError({
    title: images.length === 1 ? "An image fits no container" : "Images fit no container",
    cause: lines.join("\n"),
    remedy: `${known} Write one of these names in the manifests, or tell by \`image-names: ${first?.service ?? "service"}=name\` what it is called there. Nothing was changed.`,
  });
}

function unknownService(name: string, images: readonly PinnedImage[]): UserError {
  const services = images.map(({ service }) => service);
  const near = nearestName(name, services);
  return new UserError({
    title: "image-names names no image",
    cause:
      `${name} is no service of the digest map${near === undefined ? "" : `; did you mean ${near}?`}`.replace(
        /[^?]$/,
        "$&.",
      ),
    remedy: `The services are ${services.join(", ")}.`,
  });
}

function lastPart(name: string): string {
  return name.split("/").at(-1) ?? name;
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
