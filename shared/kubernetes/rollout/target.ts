import type { ObjectRef } from "../object.ts";
import type { Demand } from "../verdict/index.ts";

/** An object to wait for. Where nothing is added, an ObjectRef is one. */
export interface Target extends ObjectRef {
  /** What must hold of it, in place of the verdict that its kind has. */
  readonly demand?: Demand | undefined;
  /**
   * Nobody named it: it was found in a manifest, by a selector or in a namespace. What may never
   * come of such an object without anybody missing it is told of, and not waited for.
   */
  readonly incidental?: boolean | undefined;
}
