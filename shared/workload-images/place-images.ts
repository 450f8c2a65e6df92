import { nearestName } from "../failure/index.ts";
import type { BuiltImage, ImageMap } from "../image-map/index.ts";
import {
  fullRepository,
  imageName,
  type LiveContainer,
  type LiveWorkload,
  placeOf,
} from "./live-workload.ts";
import type { WorkloadLine } from "./workload-line.ts";

/** An image, and a container that is to run it. */
export interface Placement {
  readonly service: string;
  readonly image: BuiltImage;
  readonly container: LiveContainer;
}

export interface Placing {
  readonly placements: readonly Placement[];
  /** Why the map cannot be placed, one sentence each; nothing may be touched then. */
  readonly problems: readonly string[];
  /** What a reader should know. */
  readonly notes: readonly string[];
}

/**
 * Decides which containers each image of a digest map goes to.
 *
 * A service with lines of its own goes where they say. Any other goes to every container that runs
 * its repository already, that has the service's name, or that is the only main container of a
 * workload with that name. Where these disagree (they run images of different names, and not all of
 * them the service's) nobody can tell, and it is a problem: a wrong image is worse than none.
 */
export function placeImages(
  workloads: readonly LiveWorkload[],
  images: ImageMap,
  lines: readonly WorkloadLine[],
): Placing {
  const problems: string[] = unknownServices(images, lines);
  const placements = Object.entries(images).flatMap(([service, image]) => {
    const own = lines.filter((line) => line.service === service);
    const found =
      own.length > 0
        ? own.flatMap((line) => byLine(line, image, workloads))
        : byConvention(service, image, workloads);
    return found.flatMap((container): readonly Placement[] => {
      if (typeof container !== "string") return [{ service, image, container }];
      problems.push(container);
      return [];
    });
  });
  problems.push(...claimedTwice(placements));
  return { placements: unique(placements), problems, notes: leftOut(placements, workloads) };
}

function unknownServices(images: ImageMap, lines: readonly WorkloadLine[]): string[] {
  const services = Object.keys(images);
  return lines
    .filter(({ service }) => !services.includes(service))
    .map(({ text, service }) => {
      const near = nearestName(service, services);
      const advice = near === undefined ? `it has ${services.join(", ")}` : `did you mean ${near}?`;
      return `\`${text}\` in workloads names the service ${service}, which is not in images; ${advice}`;
    });
}

/** The container that a line names, or a sentence on why there is none. */
function byLine(
  line: WorkloadLine,
  { repository }: BuiltImage,
  workloads: readonly LiveWorkload[],
): readonly (LiveContainer | string)[] {
  const workload = workloads.find(({ title }) => title === line.title);
  if (workload === undefined) {
    const near = nearestName(
      line.title,
      workloads.map(({ title }) => title),
    );
    const advice = near === undefined ? "" : `; did you mean ${near}?`;
    return [`${line.title}, as workloads has it for ${line.service}, does not exist${advice}`];
  }
  const { containers } = workload;
  const names = containers.map(({ name }) => name);
  if (line.container !== undefined) {
    const found = containers.find(({ name }) => name === line.container);
    const near = nearestName(line.container, names);
    const advice = near === undefined ? `it has ${names.join(", ")}` : `did you mean ${near}?`;
    return [found ?? `${workload.title} has no container ${line.container}; ${advice}`];
  }
  const main = containers.filter(({ init }) => !init);
  const found =
    main.find(({ name }) => name === line.service) ??
    (main.length === 1
      ? main[0]
      : containers.find(({ image }) => fullRepository(image) === fullRepository(repository)));
  return [
    found ??
      `${workload.title} has the containers ${names.join(", ")}: say which one is for ${line.service}, as \`${line.title}:${names[0]}=${line.service}\``,
  ];
}

function byConvention(
  service: string,
  { repository }: BuiltImage,
  workloads: readonly LiveWorkload[],
): readonly (LiveContainer | string)[] {
  const all = workloads.flatMap(({ containers }) => containers);
  const wanted = fullRepository(repository);
  const named = all.filter(
    ({ name, image }) => name === service || fullRepository(image) === wanted,
  );
  const only = workloads.flatMap((workload): readonly (LiveContainer | string)[] => {
    if (workload.object.metadata.name !== service) return [];
    if (named.some((container) => container.workload === workload)) return [];
    const main = workload.containers.filter(({ init }) => !init);
    const [first] = main;
    if (main.length === 1 && first !== undefined) return [first];
    const names = main.map(({ name }) => name);
    return [
      `${workload.title} has the containers ${names.join(", ")}, and none is called ${service}: say which one is for it in workloads, as \`${workload.title}:${names[0]}=${service}\``,
    ];
  });
  const candidates = [...named, ...only.filter((found) => typeof found !== "string")];
  if (candidates.length === 0) {
    const problem = only.find((found) => typeof found === "string");
    return [problem ?? unmatched(service, repository, workloads)];
  }
  return disagree(candidates, repository) ? [ambiguous(service, candidates)] : candidates;
}

/** Whether candidates are of different kinds, so that not all can be meant. */
function disagree(candidates: readonly LiveContainer[], repository: string): boolean {
  const kin = candidates.filter(({ image }) => imageName(image) === imageName(repository));
  if (kin.length === candidates.length) return false;
  const repositories = new Set(candidates.map(({ image }) => fullRepository(image)));
  return kin.length > 0 || repositories.size > 1;
}

function ambiguous(service: string, candidates: readonly LiveContainer[]): string {
  const places = candidates.map((one) => `${placeOf(one)} (runs ${one.image})`);
  const [first] = candidates;
  return `${service} may be meant for ${places.join(" or ")}: say which in workloads, as \`${first?.workload.title}:${first?.name}=${service}\``;
}

function unmatched(
  service: string,
  repository: string,
  workloads: readonly LiveWorkload[],
): string {
  const containers = workloads.flatMap((workload) => workload.containers);
  const names = new Map([
    ...containers.map((one) => [imageName(one.image), one] as const),
    ...containers.map((one) => [one.workload.object.metadata.name, one] as const),
    ...containers.map((one) => [one.name, one] as const),
  ]);
  const near = names.get(nearestName(service, names.keys()) ?? "");
  const there = containers.slice(0, 8).map(placeOf).join(", ");
  const more = containers.length > 8 ? ` and ${containers.length - 8} more` : "";
  const advice =
    near === undefined
      ? `there is ${there === "" ? "no workload at all" : `${there}${more}`}`
      : `did you mean ${placeOf(near)}? Then write \`${near.workload.title}:${near.name}=${service}\` in workloads`;
  return `${service} fits nowhere: no container and no workload has that name, and none runs ${repository}; ${advice}`;
}

function claimedTwice(placements: readonly Placement[]): readonly string[] {
  const services = new Map<LiveContainer, Set<string>>();
  for (const { container, service } of placements) {
    services.set(container, (services.get(container) ?? new Set()).add(service));
  }
  return [...services]
    .filter(([, claims]) => claims.size > 1)
    .map(
      ([container, claims]) =>
        `${[...claims].join(" and ")} both fit ${placeOf(container)}: say in workloads where each goes, as \`${container.workload.title}:${container.name}=${[...claims][0]}\``,
    );
}

function unique(placements: readonly Placement[]): readonly Placement[] {
  return [...new Map(placements.map((one) => [one.container, one])).values()];
}

/** Containers that run what is replaced elsewhere, and that no rule reaches. */
function leftOut(
  placements: readonly Placement[],
  workloads: readonly LiveWorkload[],
): readonly string[] {
  const placed = new Set(placements.map(({ container }) => container));
  const replaced = new Map(
    placements.map(({ container, service }) => [fullRepository(container.image), service]),
  );
  return workloads
    .flatMap(({ containers }) => containers)
    .filter((one) => !placed.has(one) && replaced.has(fullRepository(one.image)))
    .map((one) => {
      const service = replaced.get(fullRepository(one.image));
      return `${placeOf(one)} runs ${one.image}, as ${service} did, and is not touched: name it in workloads if it should be, as \`${one.workload.title}:${one.name}=${service}\``;
    });
}
