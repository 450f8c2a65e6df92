import { mkdir, rename, symlink } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type Bed, openBed, tail } from "./bed.ts";
import { supply } from "./build/supply.ts";
import { groups, pieces } from "./catalogue.ts";
import { type Configuration, TestbedError } from "./configuration.ts";
import {
  type Endpoints,
  endpointsOf,
  namedByUser,
  readEndpoints,
  withNamedByUser,
} from "./endpoints.ts";
import { checkHost } from "./host.ts";
import { withLock } from "./lock.ts";
import { dependents, select } from "./order.ts";
import { isServer, type Piece, type Server } from "./piece.ts";
import { endStrays, endWithChildren, runningProcess, startProcess } from "./processes.ts";
import { duration, type Reporter } from "./progress.ts";

/** How long a server may take to answer. Machines that run tests are busy ones. */
const patience = 120_000;

/**
 * Brings up the wanted pieces and groups (all, if none are named) with what they need. What runs
 * stays as it is; what has died, or was left half started, is started anew.
 */
export async function bringUp(
  configuration: Configuration,
  wanted: readonly string[],
  reporter: Reporter,
  environment: NodeJS.ProcessEnv,
): Promise<Endpoints> {
  const named = namedByUser(environment);
  const own = wantedHere(wanted, named);
  const chosen = own.length > 0 ? select(pieces, groups, own) : [];
  await checkHost(chosen);
  await supply(configuration, chosen, reporter);
  const onWait = () => reporter.line("Another process works on this test bed; waiting for it.");
  return withLock(lockFile(configuration), onWait, async () => {
    const bed = await openBed(configuration);
    const before = (await readEndpoints(bed.state))?.pieces ?? [];
    const all = new Set([...before, ...chosen.map(({ name }) => name)]);
    const names = [...new Set([...all, ...completeGroups(all)])].sort();
    // Known before the start, so that `status` can tell what did not make it.
    await bed.write(["wanted.json"], JSON.stringify(names));
    await startAll(bed, chosen, reporter);
    const endpoints = await endpointsOf(bed, names);
    const file = await bed.write(["endpoints.json.new"], JSON.stringify(endpoints, null, 2), 0o644);
    await rename(file, bed.path("endpoints.json"));
    return withNamedByUser(endpoints, environment);
  });
}

/** The file whose lock says who may change the bed; it lies beside the bed's folder. */
export function lockFile(configuration: Configuration): string {
  return `${configuration.state}.lock`;
}

/**
 * The wanted pieces less the servers that the user has elsewhere and what needs those here. Tools,
 * as kubectl is, stay.
 */
export function wantedHere(wanted: readonly string[], named: readonly string[]): string[] {
  const members = (names: readonly string[]) => names.flatMap((name) => groups[name] ?? [name]);
  const all = wanted.length > 0 ? members(wanted) : pieces.map(({ name }) => name);
  const servers = new Set(pieces.filter(isServer).map(({ name }) => name));
  const excused = members(named).filter((name) => servers.has(name));
  const needy = dependents(pieces, excused);
  return all.filter((name) => !excused.includes(name) && !needy.has(name));
}

/** Groups whose every member is among these. */
function completeGroups(names: ReadonlySet<string>): string[] {
  return Object.keys(groups).filter((group) => groups[group]?.every((name) => names.has(name)));
}

async function startAll(bed: Bed, chosen: readonly Piece[], reporter: Reporter): Promise<void> {
  if (chosen.some(isServer)) await clearDebris(bed);
  const started = Date.now();
  const begun = new Map<string, Promise<boolean>>();
  for (const piece of chosen) {
    const needs = piece.needs.map((need) => begun.get(need));
    begun.set(
      piece.name,
      Promise.all(needs).then(() => bringUpPiece(bed, piece, reporter)),
    );
  }
  const outcomes = await Promise.allSettled(begun.values());
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed) throw failed.reason;
  const count = outcomes.filter(
    (outcome) => outcome.status === "fulfilled" && outcome.value,
  ).length;
  const seconds = duration((Date.now() - started) / 1000);
  reporter.line(
    count > 0 ? `Started ${count} servers in ${seconds}.` : "Everything is up already.",
  );
}

/** Ends what an `up` that was killed left unrecorded, and what outlived the node it ran in. */
async function clearDebris(bed: Bed): Promise<void> {
  const running = new Map<string, number>();
  const dead: string[] = [];
  for (const { name } of pieces.filter(isServer)) {
    const pid = await runningProcess(bed, name);
    if (pid === undefined) dead.push(name);
    else running.set(name, pid);
  }
  await endStrays(bed, new Set(running.values()));
  const carriers = pieces.filter(
    (piece) => isServer(piece) && piece.carriesItsDependents && dead.includes(piece.name),
  );
  const carried = dependents(
    pieces,
    carriers.map(({ name }) => name),
  );
  if (carried.size > 0) await endWithChildren(bed, carried);
}

/** Resolves to whether something had to be started. */
async function bringUpPiece(bed: Bed, piece: Piece, reporter: Reporter): Promise<boolean> {
  const running = isServer(piece) ? await runningProcess(bed, piece.name) : undefined;
  if (running === undefined) await piece.prepare?.(bed);
  await offer(bed, piece);
  if (!isServer(piece)) return false;
  const started = Date.now();
  const pid = running ?? (await startProcess(bed, piece.name, await piece.start(bed)));
  await untilReady(bed, piece, pid);
  if (running !== undefined) return false;
  reporter.line(`${piece.name} is up (${duration((Date.now() - started) / 1000)})`);
  return true;
}

async function untilReady(bed: Bed, server: Server, pid: number): Promise<void> {
  const deadline = Date.now() + patience;
  for (let wait = 20; !(await server.ready(bed, pid)); wait = Math.min(wait * 1.5, 250)) {
    const isAlive = (await runningProcess(bed, server.name)) !== undefined;
    if (isAlive && Date.now() < deadline) {
      await sleep(wait);
      continue;
    }
    const log = bed.path("logs", `${server.name}.log`);
    const words = (await tail(log, 15)).map((line) => `  ${line}`).join("\n");
    throw new TestbedError(
      `${server.name} ${isAlive ? `does not answer after ${duration(patience / 1000)}` : "ended"}. ` +
        `Its last words, from ${log}:\n${words}\n` +
        "Run `npm run testbed -- up` once more; if that does not help, `down` and then `up`.",
    );
  }
}

/** Links the piece's programs into the bed's bin folder, or into that of their own. */
async function offer(bed: Bed, piece: Piece): Promise<void> {
  for (const [name, file] of Object.entries(piece.offers?.(bed) ?? {})) {
    const folder = piece.folder ?? "bin";
    const link = bed.path(folder, name);
    await mkdir(bed.path(folder), { recursive: true });
    // Another run may be using it at this very moment: it is replaced, never gone.
    const fresh = `${link}.${process.pid}`;
    await symlink(file, fresh);
    await rename(fresh, link);
  }
}
