import { readFile } from "node:fs/promises";
import { Bed, readAddresses, tail } from "./bed.ts";
import { pieces } from "./catalogue.ts";
import type { Configuration } from "./configuration.ts";
import { isServer } from "./piece.ts";
import { runningProcess } from "./processes.ts";

/** How one server of a bed does. */
export interface ServerStatus {
  readonly name: string;
  /** `ready` answers; `starting` runs without answering yet; `down` has ended. */
  readonly state: "ready" | "starting" | "down";
  readonly pid?: number;
  /** The last line of its log, for one that is not ready. */
  readonly lastWords?: string;
}

/** Tells how the servers do that were brought up. */
export async function readStatus(configuration: Configuration): Promise<ServerStatus[]> {
  const addresses = await readAddresses(configuration.state);
  if (!addresses) return [];
  const bed = new Bed(configuration, addresses);
  const text = await readFile(bed.path("wanted.json"), "utf8").catch(() => "[]");
  const wanted = JSON.parse(text) as string[];
  const servers = pieces.filter(isServer).filter(({ name }) => wanted.includes(name));
  return Promise.all(
    servers.map(async (server) => {
      const { name } = server;
      const pid = await runningProcess(bed, name);
      if (pid !== undefined && (await server.ready(bed, pid))) return { name, state: "ready", pid };
      const [lastWords = "(its log is empty)"] = await tail(bed.path("logs", `${name}.log`), 1);
      if (pid === undefined) return { name, state: "down", lastWords };
      return { name, state: "starting", pid, lastWords };
    }),
  );
}
