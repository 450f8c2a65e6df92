import { nearestName, UserError } from "../failure/index.ts";
import type { BuiltImage } from "../image-map/index.ts";

export type ValuesTree = { readonly [key: string]: unknown };

/** Where in the values an image went. */
export interface PlacedImage extends BuiltImage {
  readonly service: string;
  /** `api.image` */
  readonly path: string;
}

export interface ImageValues {
  readonly values: ValuesTree;
  readonly placed: readonly PlacedImage[];
}

/**
 * Decides where in a chart's values each image of the map goes, and makes the values for it.
 *
 * A service goes where `mapping` says; else to `<service>.image` (also in camel case) where the
 * chart has such a value; else, when the map holds one service, to a top-level `image`. A value
 * that is a text gets the whole reference; one that is a map gets repository, tag and digest, and
 * the registry apart where the chart keeps it apart.
 *
 * @throws {UserError} for a service that fits nowhere, listing the places the chart has: an image
 *   that was built must not silently stay out of the release.
 */
export function imageValues(
  images: Readonly<Record<string, BuiltImage>>,
  defaults: ValuesTree,
  mapping: Readonly<Record<string, string>> = {},
): ImageValues {
  const services = Object.keys(images);
  refuseUnknown(Object.keys(mapping), services);
  const single = services.length === 1;
  const placed = Object.entries(images).map(([service, image]) => ({
    ...image,
    service,
    path: mapping[service] ?? conventionalPath(service, single, defaults),
  }));
  refuseShared(placed);
  const values = placed.reduce<ValuesTree>(
    (tree, image) => withValue(tree, image.path.split("."), valueFor(image, defaults)),
    {},
  );
  return { values, placed };
}

/** The paths in a chart's values that hold an image: a text, or a map with a repository. */
export function imagePaths(values: unknown, path: readonly string[] = []): readonly string[] {
  if (!isTree(values)) return [];
  return Object.entries(values).flatMap(([key, value]) => {
    const here = [...path, key];
    const holdsImage = isTree(value)
      ? "repository" in value
      : /image$/i.test(key) && typeof value === "string";
    return holdsImage ? [here.join(".")] : imagePaths(value, here);
  });
}

function conventionalPath(service: string, single: boolean, defaults: ValuesTree): string {
  const candidates = [`${service}.image`, `${camelCase(service)}.image`];
  if (single) candidates.push("image");
  const found = candidates.find((path) => valueAt(defaults, path) !== undefined);
  if (found !== undefined) return found;
  const places = imagePaths(defaults);
  throw new UserError({
    title: "An image fits nowhere in the chart",
    cause: `The chart's values have no ${[...new Set(candidates)].join(" and no ")} for the service ${service}; ${
      places.length === 0 ? "they name no image at all" : `its images are at ${places.join(", ")}`
    }.`,
    remedy: `Name the place with the input \`image-values\`, as in \`${service}=${places[0] ?? "path.to.image"}\`; nothing was changed.`,
  });
}

function refuseUnknown(mapped: readonly string[], services: readonly string[]): void {
  const unknown = mapped.find((name) => !services.includes(name));
  if (unknown === undefined) return;
  const near = nearestName(unknown, services);
  throw new UserError({
    title: "image-values names a service that has no image",
    cause: `image-values maps ${JSON.stringify(unknown)}, and \`images\` has ${services.join(", ") || "none"}${near === undefined ? "" : `; did you mean ${near}?`}.`,
    remedy: "Use the names of the digest map that `images` holds; nothing was changed.",
  });
}

function refuseShared(placed: readonly PlacedImage[]): void {
  const second = placed.find(({ path }, index) =>
    placed.slice(0, index).some((earlier) => earlier.path === path),
  );
  if (second === undefined) return;
  throw new UserError({
    title: "Two images for one place in the chart",
    cause: `More than one service maps to ${second.path}; ${second.service} is one of them.`,
    remedy: "Give each service a path of its own with the input `image-values`.",
  });
}

function valueFor(image: PlacedImage, defaults: ValuesTree): unknown {
  const current = valueAt(defaults, image.path);
  const { repository, tag = "", digest } = image;
  if (typeof current === "string") return `${repository}${tag && `:${tag}`}@${digest}`;
  if (isTree(current) && "registry" in current) {
    const slash = repository.indexOf("/");
    const registry = repository.slice(0, Math.max(slash, 0));
    return { registry, repository: repository.slice(slash + 1), tag, digest };
  }
  return { repository, tag, digest };
}

function valueAt(values: ValuesTree, path: string): unknown {
  return path.split(".").reduce<unknown>((at, key) => (isTree(at) ? at[key] : undefined), values);
}

function withValue(tree: ValuesTree, path: readonly string[], value: unknown): ValuesTree {
  const [key, ...rest] = path;
  if (key === undefined) return tree;
  if (rest.length === 0) return { ...tree, [key]: value };
  const child = tree[key];
  return { ...tree, [key]: withValue(isTree(child) ? child : {}, rest, value) };
}

function isTree(value: unknown): value is ValuesTree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function camelCase(name: string): string {
  return name.replace(/[-_.]+([a-z0-9])/gi, (_, letter: string) => letter.toUpperCase());
}
