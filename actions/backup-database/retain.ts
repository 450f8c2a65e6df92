import type { Options } from "./inputs.ts";
import type { Retained } from "./outcome.ts";

export async function retain(_options: Options): Promise<Retained | undefined> {
  return undefined;
}
