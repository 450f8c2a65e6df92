import { UserError } from "../failure/index.ts";
import { CommandFailed, type StreamingProgram, stream } from "../process/index.ts";
import type { Secrets } from "../secrets/index.ts";
import type { Place, PlaceCommand } from "./place.ts";

/** This machine: programs run as this process's user, in process groups of their own. */
export function localPlace(secrets: Secrets): Place {
  const name = "this machine";
  return {
    name,
    start: (command, signal) => startLocally(command, { signal, secrets, name }),
  };
}

interface Starting {
  readonly signal: AbortSignal;
  readonly secrets: Secrets;
  readonly name: string;
}

/** @throws {UserError} where the program cannot be started. */
export async function startLocally(
  { program, args, environment, input }: PlaceCommand,
  { signal, secrets, name }: Starting,
): Promise<StreamingProgram> {
  try {
    return await stream({ program, args, environment, input: input === true }, { signal, secrets });
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    throw new UserError(
      {
        title: `${baseName(program)} cannot be run`,
        cause: `${error.message}, on ${name}.`,
        remedy:
          error.why === "not-found"
            ? `Install ${baseName(program)} in an earlier step, or name the place where it is.`
            : "See to it that the program is whole, made for this machine, and may be executed.",
      },
      { reason: error },
    );
  }
}

function baseName(program: string): string {
  return program.slice(program.lastIndexOf("/") + 1);
}
