import type { Outcome } from "../../shared/action/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import type { GitHub } from "../../shared/github/index.ts";
import { withImagesOfFile } from "../../shared/image-map/index.ts";
import { nameOf } from "../../shared/images/index.ts";
import { Journal } from "../../shared/journal/index.ts";
import { short } from "../../shared/retention/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Catalogue } from "./catalogue.ts";
import { contentsOf, decide, type Grounds } from "./decide.ts";
import { type FoundUses, findUses, hasSources, noSources, nothingInUse } from "./find-uses.ts";
import type { Options, OutputName } from "./inputs.ts";
import type { Judgement } from "./judgement.ts";
import { openCatalogue, openRegistries } from "./open-catalogues.ts";
import { outcomeOf } from "./outcome.ts";
import { type Pruned, pruneRepository } from "./prune-repository.ts";
import { repositoriesOf } from "./repositories.ts";

/**
 * Deletes images that nobody needs any longer. First everything that protects one is read; what
 * cannot be read ends the step with nothing deleted. Then each repository is looked at once more, so
 * that nothing is deleted that was tagged meanwhile, and afterwards the registry is asked whether what
 * was deleted is gone and what was kept is whole.
 */
export async function pruneImages(given: Options, world: World): Promise<Outcome<OutputName>> {
  const journal = new Journal(world.clock);
  const workspace = world.environment.GITHUB_WORKSPACE || process.cwd();
  const options = await withImagesOfFile(given, workspace);
  const repositories = repositoriesOf(options);
  const deletes = options.mode === "delete";
  const informed = hasSources(options, world.environment);
  if (deletes && !informed && !options.nothingDeployed) throw noSources();

  using github = new LazyGitHub(options, world);
  const openAnew = (log: World["log"]) =>
    openRegistries(repositories[0].host, options, { ...world, log });
  using registries = await openAnew(world.log);
  const catalogues = await Promise.all(
    repositories.map((each) => openCatalogue(each, registries, options, github, world)),
  );
  const reading = { registries, signal: world.signal };
  const contents = await journal.phase("read repositories", () =>
    Promise.all(catalogues.map((each) => contentsOf(each, reading))),
  );
  const found = await journal.phase("find what is in use", () =>
    findUses(repositories, options, github, world),
  );
  const rules = { ...options, now: world.clock.now() };
  const grounds: Grounds = { ...reading, uses: found.uses, rules };
  const judgements = await journal.phase("decide", () =>
    Promise.all(
      catalogues.map(async (each, at) =>
        decide(each, contents[at] ?? (await contentsOf(each, grounds)), grounds),
      ),
    ),
  );
  const suspicion =
    informed && !options.nothingDeployed ? suspicionOf(judgements, found) : undefined;
  if (deletes && suspicion !== undefined) throw suspicion;
  const pruned = deletes
    ? await pruneAll(catalogues, judgements, grounds, () => openAnew(quiet(world)), journal, world)
    : judgements.map((judgement): Pruned => ({ judgement }));
  const blind = informed || options.nothingDeployed ? undefined : noSources();
  const empty = judgements.filter(({ judged }) => judged.length === 0);
  const notes = [
    ...[suspicion, blind].flatMap((doubt) => doubt?.cause ?? []),
    ...empty.map(({ repository }) => `${nameOf(repository)} lists nothing: is that its name?`),
    ...judgements.flatMap(damageOf),
  ];
  return outcomeOf(pruned, { options, ...found, notes, journal }, world);
}

/** Places were asked, something is to be deleted, and not one image is in use: is it the right place? */
function suspicionOf(judgements: readonly Judgement[], { told }: FoundUses): UserError | undefined {
  const reasons = judgements.flatMap(({ judged }) => judged.flatMap((each) => each.reasons));
  const isUsed = reasons.some((reason) => reason.startsWith("in use"));
  const hasWork = judgements.some(({ groups }) => groups.length > 0);
  return !isUsed && hasWork ? nothingInUse(told) : undefined;
}

/** What a repository lists or its indexes name, and does not have: older than this run, and told. */
function damageOf({ repository, contents: { damaged } }: Judgement): readonly string[] {
  const some = damaged.slice(0, 3).map(short).join(", ");
  const more = damaged.length > 3 ? ", ..." : "";
  return damaged.length === 0
    ? []
    : [`${nameOf(repository)} lacks ${damaged.length} manifests that it names: ${some}${more}.`];
}

async function pruneAll(
  catalogues: readonly Catalogue[],
  judgements: readonly Judgement[],
  grounds: Grounds,
  openAnew: () => ReturnType<typeof openRegistries>,
  journal: Journal,
  world: World,
): Promise<readonly Pruned[]> {
  const results: Pruned[] = [];
  for (const [at, catalogue] of catalogues.entries()) {
    const judgement = judgements[at];
    if (judgement === undefined) continue;
    const work = () => pruneRepository(catalogue, judgement, grounds, openAnew, world);
    const name = nameOf(catalogue.repository).replace(/[^\w./-]/g, " ");
    results.push(await journal.phase(`prune ${name}`, work));
  }
  return results;
}

/** How registries are signed in at is said once. */
function quiet({ log }: World): World["log"] {
  return {
    info() {},
    debug: (text) => log.debug(text),
    warning: (text, title) => log.warning(text, title),
    group: (title, lines) => log.group(title, lines),
  };
}

/** GitHub's API, opened where it is needed. */
class LazyGitHub implements Disposable {
  readonly #options: Options;
  readonly #world: World;
  #opened: GitHub | undefined;

  constructor(options: Options, world: World) {
    this.#options = options;
    this.#world = world;
  }

  /** @throws {UserError} when there is no token. */
  async open(): Promise<GitHub> {
    const { token } = this.#options;
    if (token === undefined) throw noToken();
    const { GitHub } = await import("../../shared/github/index.ts");
    this.#opened ??= new GitHub({ token, world: this.#world });
    return this.#opened;
  }

  [Symbol.dispose](): void {
    this.#opened?.[Symbol.dispose]();
  }
}

function noToken(): UserError {
  return new UserError({
    title: "One input is missing",
    cause: "GitHub's API is needed, and the input token is empty.",
    remedy: "Leave token out to use the job's own, or give one of an account that may do it.",
  });
}
