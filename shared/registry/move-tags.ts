import { describe, UserError } from "../failure/index.ts";
import { nameOf, type Repository } from "../images/index.ts";
import type { Clock, Log } from "../world/index.ts";
import { inspectImage } from "./inspect.ts";
import type { StoredManifest } from "./manifest.ts";
import type { Registries } from "./registries.ts";
import { type Registry, TagImmutable } from "./registry.ts";
import { removeTag } from "./remove-tag.ts";

/** A tag, and the image to which it is to lead. */
export interface TagMove {
  readonly repository: Repository;
  readonly tag: string;
  readonly digest: string;
  /** Left where it leads, should the registry let nobody move it: a tag that only helps us. */
  readonly ifAllowed?: boolean | undefined;
}

/** A tag that leads to its image, as the registry says. */
export interface MovedTag extends TagMove {
  /** Where it led; undefined when it is new. */
  readonly before: string | undefined;
  /** Whether it still leads there, for the registry lets nobody move it, and that was allowed for. */
  readonly kept: boolean;
}

export interface MoveMeans {
  readonly registries: Registries;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** For putting back what was moved, also after `signal` has aborted. */
  readonly aftermath: AbortSignal;
}

/** A tag that could not be put back, and why. */
export interface LeftTag {
  /** host/path:tag */
  readonly name: string;
  readonly digest: string;
  readonly why: string;
}

/** The failure to move all tags: those that were moved are put back, but for `left`. */
export class TagsNotMoved extends UserError {
  readonly left: readonly LeftTag[];

  constructor(
    parts: ConstructorParameters<typeof UserError>[0],
    left: readonly LeftTag[],
    reason: unknown,
  ) {
    super(parts, { reason });
    this.left = left;
  }
}

/** How long a move that is on its way when the job is cancelled may take to its end. */
const LANDING_MS = 1_500;
/** How long another run that moved the same tags takes to put them back. */
const RIVAL_MS = 1_000;
/** How much later a request may arrive that was broken off. */
const STRAY_MS = 500;
// Some registries show a tag later than they move it, and then by less than this.
const LAG_MS = [100, 400, 1_500];

/**
 * Moves tags to images that are in their repositories: all of them, or none. What goes wrong, and a
 * cancellation at any moment, has every tag that was moved put back to where it led, and those that
 * are new removed. When all are moved, each is asked for once more.
 *
 * A tag that another run moved meanwhile is left to it. Two runs cannot both get all they want;
 * each finds out, and no tag leads to anything that neither of them asked for.
 *
 * @throws {TagsNotMoved} when they could not all be moved.
 */
export async function moveTags(
  moves: readonly TagMove[],
  means: MoveMeans,
): Promise<readonly MovedTag[]> {
  const different = withoutRepeats(moves);
  const steps: Step[] = [];
  try {
    means.signal.throwIfAborted();
    steps.push(...(await Promise.all(different.map((move) => prepare(move, means)))));
    const due = steps.filter(isDue);
    await putAll(due, means.signal);
    // Where every tag led to its image already, that is what was just asked.
    if (due.length > 0) await Promise.all(steps.map((step) => verify(step, means)));
    // Cancelled after the last move: the job said to stop before anybody was told of these tags.
    means.signal.throwIfAborted();
  } catch (error) {
    throw await putAllBack(steps, error, means);
  }
  return steps.map(({ move, before, kept }) => ({ ...move, before: before?.digest, kept }));
}

/** Tells the registries; the first failure is thrown once all that had begun is over. */
async function putAll(due: readonly Step[], signal: AbortSignal): Promise<void> {
  const broken = new AbortController();
  // The first failure keeps the others from beginning; what has begun is let land.
  const going = AbortSignal.any([signal, broken.signal]);
  using landing = soonAfter(going, LANDING_MS);
  await Promise.all(
    due.map(async (step) => {
      if (going.aborted) return;
      await put(step, landing.signal).catch((error: unknown) => broken.abort(error));
    }),
  );
  going.throwIfAborted();
}

/** One tag on its way. */
interface Step {
  readonly move: TagMove;
  readonly digest: string;
  readonly registry: Registry;
  readonly manifest: StoredManifest;
  /** Where it leads at first. */
  readonly before: StoredManifest | undefined;
  /** How far it is; `torn` when the registry was told and its answer is not known. */
  state: "waiting" | "told" | "torn";
  kept: boolean;
}

function isDue({ before, digest }: Step): boolean {
  return before?.digest !== digest;
}

function withoutRepeats(moves: readonly TagMove[]): readonly TagMove[] {
  const different = new Map<string, TagMove>();
  for (const move of moves) {
    const known = different.get(tagName(move));
    if (known !== undefined && known.digest !== move.digest) {
      throw new UserError({
        title: "One tag is to lead to two images",
        cause: `${tagName(move)} is asked for ${known.digest} and for ${move.digest}.`,
        remedy: "Give the two services other names or other tags.",
      });
    }
    different.set(tagName(move), move);
  }
  return [...different.values()];
}

async function prepare(move: TagMove, { registries, signal }: MoveMeans): Promise<Step> {
  const { repository, tag, digest } = move;
  const { path } = repository;
  const registry = await registries.of(repository.host);
  const [manifest, led] = await Promise.all([
    registry.manifest(path, digest, signal),
    registry.digestOf(path, tag, signal),
  ]);
  if (manifest === undefined) throw gone(move);
  // Fetched before anything is moved: what is put back must be at hand.
  const other = led !== undefined && led !== digest;
  // Where the registry has not what it names, its bytes decide: a wrong word about where the tag
  // led would have it removed instead of put back.
  const before = !other
    ? undefined
    : ((await registry.manifest(path, led, signal)) ??
      (await registry.manifest(path, tag, signal)));
  const there = led === digest ? manifest : before;
  return { move, digest, registry, manifest, before: there, state: "waiting", kept: false };
}

async function put(step: Step, signal: AbortSignal): Promise<void> {
  const { move, registry, manifest } = step;
  step.state = "torn";
  try {
    await registry.putManifest(move.repository.path, move.tag, manifest, signal);
    step.state = "told";
  } catch (error) {
    if (!(error instanceof TagImmutable)) throw error;
    step.state = "waiting";
    if (move.ifAllowed !== true) throw immutable(step, error);
    step.kept = true;
  }
}

/** @throws {UserError} when the tag does not lead where it was moved. */
async function verify(step: Step, { clock, signal }: MoveMeans): Promise<void> {
  if (step.kept) return;
  const { move, before, registry } = step;
  const { repository, tag, digest } = move;
  let found = await registry.digestOf(repository.path, tag, signal);
  for (const pause of LAG_MS) {
    // Any other answer than the old one is news, not lateness.
    if (found === digest || (found !== undefined && found !== before?.digest)) break;
    await clock.sleep(pause, signal);
    found = await registry.digestOf(repository.path, tag, signal);
  }
  // A header alone accuses nobody: what the tag leads to is counted by its bytes.
  if (found !== digest) found = (await registry.manifest(repository.path, tag, signal))?.digest;
  if (found === digest) return;
  throw overtaken(move, found, await authorOf(move, found, registry, signal));
}

/** Who made an image, as far as its labels say; for the message only. */
async function authorOf(
  { repository }: TagMove,
  digest: string | undefined,
  registry: Registry,
  signal: AbortSignal,
): Promise<string> {
  if (digest === undefined) return "";
  try {
    const place = { repository, reference: digest, platforms: [] };
    const image = await inspectImage(place, registry, signal);
    const revision = image?.labels["org.opencontainers.image.revision"];
    return revision === undefined ? "" : `, an image of revision ${revision}`;
  } catch {
    signal.throwIfAborted();
    return "";
  }
}

async function putAllBack(
  steps: readonly Step[],
  error: unknown,
  means: MoveMeans,
): Promise<unknown> {
  const told = steps.filter(({ state }) => state !== "waiting");
  const ends = await Promise.all(told.map((step) => putBack(step, means)));
  if (error instanceof Overtaken) {
    // The other run may fail as well, and put back what it found: a tag that we had just moved.
    await means.clock.sleep(RIVAL_MS, means.aftermath).catch(() => {});
    const again = await Promise.all(told.map((step) => putBack(step, means)));
    ends.push(...again);
  }
  const left = ends.flatMap((end) => (end.left === undefined ? [] : [end.left]));
  const { signal, log } = means;
  for (const { name, why } of left) log.warning(`${name}: ${why}`, "A tag could not be put back");
  if (!(error instanceof UserError) && !signal.aborted) return error;
  const what = sentenceOn(
    ends.map(({ done }) => done),
    left,
  );
  const reason = error instanceof UserError && !signal.aborted ? error : undefined;
  return new TagsNotMoved(
    {
      title: reason?.title ?? "Cancelled while the tags were moved",
      cause: `${reason?.cause ?? "The job was cancelled while tags were moved."} ${what}`,
      remedy: `${reason?.remedy ?? "Run the job again: the images are in the registry."}${left.length === 0 ? "" : " See to the tags that could not be put back, or let the next run move them."}`,
      ...(reason?.evidence === undefined ? {} : { evidence: reason.evidence }),
    },
    left,
    error,
  );
}

function sentenceOn(done: readonly (string | undefined)[], left: readonly LeftTag[]): string {
  const back = [...new Set(done)].filter((each) => each !== undefined);
  const sentences = [
    back.length === 0 && left.length === 0
      ? "No tag was moved."
      : left.length === 0
        ? `No tag is moved: ${back.join(", ")}.`
        : back.length === 0
          ? ""
          : `Taken back: ${back.join(", ")}.`,
    ...left.map(
      ({ name, digest, why }) => `${name} leads to ${digest} and could not be put back: ${why}.`,
    ),
  ];
  return sentences.filter((each) => each !== "").join(" ");
}

interface PutBack {
  /** What was done, for the message; undefined when the tag had not been moved. */
  readonly done?: string | undefined;
  readonly left?: LeftTag | undefined;
}

async function putBack(step: Step, { aftermath, clock }: MoveMeans): Promise<PutBack> {
  const { move, registry, before, digest } = step;
  const { path } = move.repository;
  const name = tagName(move);
  const left = (why: string): PutBack => ({ left: { name, digest, why } });
  try {
    const leadsTo = async () => (await registry.manifest(path, move.tag, aftermath))?.digest;
    let now = await leadsTo();
    if (now !== digest && step.state === "torn") {
      // What was broken off on its way may still arrive.
      await clock.sleep(STRAY_MS, aftermath);
      now = await leadsTo();
    }
    // Not moved, or moved on by somebody else.
    if (now !== digest) return {};
    if (before !== undefined) {
      await registry.putManifest(path, move.tag, before, aftermath);
      return { done: `${name} leads to ${before.digest} again` };
    }
    const removed = await removeTag(registry, { ...move, manifest: step.manifest }, aftermath);
    if (removed) return { done: `${name}, which was new, is removed` };
    return left("it is new, and this registry lets nobody remove a tag");
  } catch (error) {
    if (aftermath.aborted) return left("the job's time was over");
    if (error instanceof TagImmutable) return left("the registry lets no tag be moved back");
    return left(error instanceof UserError ? error.cause : describe(error));
  }
}

/** A signal that aborts that long after the given one. */
function soonAfter(
  first: AbortSignal,
  milliseconds: number,
): Disposable & { readonly signal: AbortSignal } {
  const later = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    timer = setTimeout(() => later.abort(first.reason), milliseconds);
  };
  if (first.aborted) onAbort();
  else first.addEventListener("abort", onAbort, { once: true });
  return {
    signal: later.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      first.removeEventListener("abort", onAbort);
    },
  };
}

function tagName({ repository, tag }: TagMove): string {
  return `${nameOf(repository)}:${tag}`;
}

function gone(move: TagMove): UserError {
  return new UserError({
    title: "An image is gone before its tags could be moved",
    cause: `${nameOf(move.repository)}@${move.digest} was there and is no longer.`,
    remedy: "Look for a clean-up that removes images without a tag while jobs run; then run again.",
  });
}

function immutable({ move, before }: Step, { refusal }: TagImmutable): UserError {
  const at = before === undefined ? "another image" : before.digest;
  return new UserError(
    {
      title: "The registry lets no tag be moved",
      cause: `${tagName(move)} leads to ${at} and cannot be moved to ${move.digest}: ${refusal.words}.`,
      remedy:
        "Give a tag that is new with every image, such as the commit's sha, or let this registry's tags be moved.",
    },
    { reason: refusal },
  );
}

class Overtaken extends UserError {}

function overtaken(move: TagMove, found: string | undefined, author: string): UserError {
  const name = tagName(move);
  return new Overtaken({
    title: found === undefined ? "A tag was removed again" : "Another run moved the same tag",
    cause:
      found === undefined
        ? `${name} was moved to ${move.digest}, and the registry has no such tag any longer.`
        : `${name} was moved to ${move.digest}, but leads to ${found} now${author}: another run moved it meanwhile.`,
    remedy:
      "Let jobs that push the same tag run one after the other, by a `concurrency` group; then run again if this commit is the newer one.",
  });
}
