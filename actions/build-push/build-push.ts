import type { Outcome } from "../../shared/action/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import type { World } from "../../shared/world/index.ts";
import { buildService } from "./build-service.ts";
import { failureOf } from "./failures.ts";
import type { Options, OutputName } from "./inputs.ts";
import { Narrator, seconds } from "./narrator.ts";
import { type Problem, plan } from "./plan.ts";
import type { ServiceResult } from "./result.ts";
import { summary } from "./summary.ts";
import { openWorkshop, type Workshop } from "./workshop.ts";
import { type PlacedService, place } from "./workspace.ts";

/**
 * Builds one or more services side by side, pushes them, and asks the registry for what it now
 * holds. Only what the registry itself attests becomes an output.
 *
 * Services are built by a `buildx build` each and not by one bake: a failure then has one service
 * and one Dockerfile, and the others are finished, so that a run tells of every broken service
 * and leaves the rest in the cache. BuildKit shares what they have in common either way.
 */
export async function buildPush(options: Options, world: World): Promise<Outcome<OutputName>> {
  const began = world.clock.now();
  const services = await checkInputs(options, world);
  await using workshop = await openWorkshop(options, services[0].repository.host, world);
  if (options.push) await checkAccess(services, workshop, world);
  const results = await buildAll(services, options, workshop, world);
  return outcome(results, options, world, began);
}

/** @throws {UserError} with everything that is wrong, before anything is done. */
async function checkInputs(
  options: Options,
  world: World,
): Promise<readonly [PlacedService, ...PlacedService[]]> {
  const { environment, secrets } = world;
  const isKnownSecret = (value: string) => secrets.redact(value) !== value;
  const planned = plan(options, { sha: environment.GITHUB_SHA, isKnownSecret });
  const found = await Promise.all(
    planned.services.map((service) => place(service, environment, secrets)),
  );
  const problems = [...planned.problems, ...found.flatMap((each) => each.problems)];
  const [first, ...others] = found.map(({ placed }) => placed);
  if (problems.length > 0 || first === undefined) throw wrongInputs(problems);
  return [first, ...others];
}

function wrongInputs(problems: readonly Problem[]): UserError {
  const lines = problems.map(({ where, problem }) => `${where}: ${problem}.`);
  return new UserError({
    title: lines.length === 1 ? "One input is wrong" : `${lines.length} inputs are wrong`,
    cause: lines.join("\n"),
    remedy: "Correct the step's `with:` and run again; nothing was built or pushed.",
  });
}

/** A registry that would refuse the push is better met now than after a long build. */
async function checkAccess(
  services: readonly PlacedService[],
  { registry }: Workshop,
  { signal }: World,
): Promise<void> {
  await Promise.all(
    services.map(({ repository }) => registry.checkAccess(repository.path, signal)),
  );
}

async function buildAll(
  services: readonly PlacedService[],
  options: Options,
  workshop: Workshop,
  world: World,
): Promise<readonly ServiceResult[]> {
  const narrator = new Narrator(world.log, world.clock);
  const done = new AbortController();
  const silence = narrator.breakSilence(done.signal);
  const results: ServiceResult[] = [];
  const waiting = services.map((service, index) => ({ service, index }));
  const buildInTurn = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { service, index } = next;
      results[index] = await buildService(service, options, workshop, narrator, world);
    }
  };
  try {
    const sideBySide = Math.min(options.parallel, services.length);
    await Promise.all(Array.from({ length: sideBySide }, buildInTurn));
  } finally {
    done.abort();
    await silence;
  }
  return results;
}

function outcome(
  results: readonly ServiceResult[],
  options: Options,
  world: World,
  began: number,
): Outcome<OutputName> {
  const elapsed = world.clock.now() - began;
  const proven = results.flatMap(({ name, image }) => (image ? [[name, image] as const] : []));
  const images = Object.fromEntries(proven);
  const digests = Object.fromEntries(proven.map(([name, { digest }]) => [name, digest]));
  const failure = failureOf(results, world.signal);
  world.log.info(
    `${proven.length} of ${results.length} ${options.push ? "pushed and proven at the registry" : "built"} in ${seconds(elapsed)}`,
  );
  return {
    outputs: { images, digests, seconds: Number((elapsed / 1_000).toFixed(1)) },
    summary: summary(results, { pushed: options.push, failure, elapsed }),
    failure,
  };
}
