import { nearestName } from "../../shared/failure/index.ts";
import { nameOf } from "../../shared/images/index.ts";
import type { PlannedBuild, PlannedService } from "./planned.ts";
import type { Problem } from "./problem.ts";

/** Services that get into each other's way: one name, or one tag of one repository, for two. */
export function clashes(services: readonly PlannedService[]): readonly Problem[] {
  const problems: Problem[] = [];
  const names = new Map<string, PlannedService>();
  const images = new Map<string, PlannedService>();
  for (const service of services) {
    const { prefix, name, at } = service;
    const first = names.get(name);
    if (first !== undefined) {
      problems.push({ where: `${prefix}name`, problem: `${nounOf(first)} has the same name`, at });
      continue;
    }
    names.set(name, service);
    const places = [service, ...service.mirrors];
    const references = places.flatMap(({ repository, tags }) =>
      repository.host === "" ? [] : tags.map((tag) => `${nameOf(repository)}:${tag}`),
    );
    const twice = places.map(({ repository }) => nameOf(repository)).find(isRepeated);
    if (twice !== undefined && service.repository.host !== "") {
      problems.push({ where: `${prefix}mirrors`, problem: `${twice} is named twice`, at });
    }
    const taken = references.find((reference) => images.has(reference));
    const other = taken === undefined ? undefined : images.get(taken);
    if (taken !== undefined && other !== undefined) {
      problems.push({ where: `${prefix}tags`, problem: `${nounOf(other)} is ${taken} too`, at });
    }
    for (const reference of references) images.set(reference, service);
  }
  return problems;
}

function isRepeated(text: string, index: number, all: readonly string[]): boolean {
  return all.indexOf(text) < index;
}

/** `services.0 (api)`, from the words before its keys. */
function nounOf({ prefix, name }: PlannedBuild): string {
  return prefix.replace(/[:,]\s*$/, "") || name;
}

/** Links by `target:` that lead nowhere or back to where they start, or to other platforms. */
export function dependencyProblems(builds: readonly PlannedBuild[]): readonly Problem[] {
  const byName = new Map(builds.map((build) => [build.name, build]));
  return builds.flatMap((build) => {
    const { prefix, at } = build;
    const where = `${prefix}contexts`;
    return build.dependsOn.flatMap((name): Problem[] => {
      const other = byName.get(name);
      if (other === undefined) {
        const near = nearestName(name, byName.keys());
        const hint = near === undefined ? "" : `; did you mean target:${near}?`;
        return [{ where, problem: `there is no service ${JSON.stringify(name)}${hint}`, at }];
      }
      if (leadsTo(other, build.name, byName)) {
        return [{ where, problem: `target:${name} leads back to ${build.name}`, at }];
      }
      const missing = build.platforms.filter((each) => !other.platforms.includes(each));
      return other.platforms.length === 0 || missing.length === 0
        ? []
        : [{ where, problem: `target:${name} is not built for ${missing.join(", ")}`, at }];
    });
  });
}

function leadsTo(
  from: PlannedBuild,
  name: string,
  builds: ReadonlyMap<string, PlannedBuild>,
  seen = new Set<string>(),
): boolean {
  if (from.name === name) return true;
  if (seen.has(from.name)) return false;
  seen.add(from.name);
  return from.dependsOn.some((each) => {
    const next = builds.get(each);
    return next !== undefined && leadsTo(next, name, builds, seen);
  });
}
