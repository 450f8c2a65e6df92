import { keysOf } from "./keys.ts";
import type { Passage } from "./result.ts";
import type { Step } from "./step.ts";

/**
 * Takes the key from services whose files changed while they were built: nobody knows which of the
 * two the builder saw, so that their images must not be found by it.
 */
export async function withoutStaleKeys(
  passages: readonly Passage[],
  step: Step,
): Promise<readonly Passage[]> {
  if (step.world.signal.aborted) return passages;
  const keyFor = await keysOf(step);
  return Promise.all(
    passages.map(async (passage) => {
      const { service, built, contentKey } = passage;
      if (built === undefined || built.failure !== undefined || contentKey === undefined) {
        return passage;
      }
      const found = await keyFor(service);
      if ("key" in found && found.key.key === contentKey.key) return passage;
      step.world.log.warning(
        "What its build can see changed while it was built, so that the next run will build it again.",
        `${service.name}: its files changed`,
      );
      return { ...passage, contentKey: undefined };
    }),
  );
}
