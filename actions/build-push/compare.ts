import { type ContentKey, contentKeyOf, decodeInputs } from "../../shared/content-key/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import type { Repository } from "../../shared/images/index.ts";
import { DamagedImage, inspectImage, type StoredImage } from "../../shared/registry/index.ts";
import { decide, flawOf, INPUTS_LABEL, type Known, keyTag } from "./decide.ts";
import { keySubjectOf } from "./key-subject.ts";
import type { Passage } from "./result.ts";
import type { PlacedService } from "./workspace.ts";
import type { Step } from "./step.ts";

/**
 * Finds out for each service whether it has to be built: its content key is made, and the registry
 * asked for a whole image under it. A registry that would refuse the push is met here too, before
 * a long build.
 */
export async function compare(step: Step): Promise<readonly Passage[]> {
  const { order, options } = step;
  const outside = await outsideOf(step);
  return Promise.all(
    order.services.map(async (service) => {
      const [known] = await Promise.all([
        options.push ? knownOf(service, outside, step) : NOTHING,
        options.push && options.mode === "build" ? checkAccess(service, step) : undefined,
      ]);
      const decision = decide(known, options.push ? options.rebuild : "always");
      const images = decision.image === undefined ? [] : [decision.image];
      const { key, before } = known;
      return {
        service,
        decision,
        key: key?.key,
        contentKey: key,
        before,
        built: undefined,
        images,
        gate: [],
        released: false,
        failure: undefined,
      };
    }),
  );
}
