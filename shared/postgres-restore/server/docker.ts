import { randomBytes } from "node:crypto";
import { totalmem } from "node:os";
import { UserError } from "../../failure/index.ts";
import { containerPlace } from "../../place/index.ts";
import { CommandFailed, type Completed, execute } from "../../process/index.ts";
import type { World } from "../../world/index.ts";
import { startAt } from "./at-place.ts";
import type { ServerSettings, StartedServer } from "./settings.ts";

const MIB = 1024 * 1024;
/** An image may have to be pulled. */
const RUN_DEADLINE_MS = 10 * 60_000;
const REMOVE_DEADLINE_MS = 20_000;
/** Should nobody remove it, it goes by itself. */
const LONGEST_LIFE_S = 12 * 3_600;

/**
 * Starts a server in a container of its own: without a network, without capabilities, as the
 * image's user postgres, removed at the end.
 *
 * @throws {UserError} where there is no docker engine or image, or the server does not start.
 */
export async function startInDocker(
  settings: ServerSettings,
  world: World,
): Promise<StartedServer> {
  const image = settings.image ?? `postgres:${settings.major ?? 17}`;
  const memory = settings.memory ?? Math.max(512 * MIB, Math.floor(totalmem() / 2));
  const name = `seaworthy-restore-${randomBytes(6).toString("hex")}`;
  const life = Math.min(LONGEST_LIFE_S, Math.ceil((settings.time ?? 6 * 3_600_000) / 1_000) + 600);
  const isolation = ["--network=none", "--cap-drop=ALL", "--security-opt=no-new-privileges"];
  const limits = [`--memory=${memory}`, "--pids-limit=512", "--shm-size=1g", "--user=postgres"];
  const program = ["--entrypoint=sleep", image, `${life}`];
  const dispose = async () => {
    await docker(["rm", "--force", "--volumes", name], REMOVE_DEADLINE_MS, {
      ...world,
      signal: world.signal.aborted ? world.aftermath : world.signal,
    }).catch(() => {});
  };
  try {
    await docker(
      ["run", "--detach", "--rm", `--name=${name}`, ...isolation, ...limits, ...program],
      RUN_DEADLINE_MS,
      world,
    );
    const had = true;
    return await startAt(
      {
        place: containerPlace(name, world.secrets),
        where: `in a container of ${image}`,
        folder: "/tmp/seaworthy",
        memory,
        safeguards: [
          { name: "no network", had, detail: "a container without one" },
          { name: "an unprivileged user", had, detail: "the image's postgres, no capabilities" },
          { name: "no way to privileges", had, detail: "no-new-privileges" },
          { name: "a limit on memory", had, detail: "of the container" },
          { name: "a limit on disk", had: false, detail: "the engine's disk is not watched" },
        ],
        dispose,
      },
      settings,
      world,
    );
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function docker(
  args: readonly string[],
  deadline: number,
  { signal, secrets }: Pick<World, "signal" | "secrets">,
): Promise<Completed> {
  try {
    return await execute({ program: "docker", args }, { signal, secrets, deadline });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof CommandFailed)) throw error;
    throw new UserError(
      {
        title: "No container for the throw-away server",
        cause: `${error.message}: ${wordsOf(error.stderrTail)}`.replace(/\.?$/, "."),
        remedy:
          "Check that a docker engine answers here and that the image can be pulled, or use `server: local`.",
        evidence: error.stderrTail,
      },
      { reason: error },
    );
  }
}

/** The line that says what is wrong, among those that offer help. */
function wordsOf(said: string): string {
  const lines = said.trim().split("\n");
  return lines.find((line) => /^docker: |Error/i.test(line)) ?? lines.at(-1) ?? "";
}
