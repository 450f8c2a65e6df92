import type { BakeResult } from "../../shared/buildkit/index.ts";
import type { ContentKey } from "../../shared/content-key/index.ts";
import type { UserError } from "../../shared/failure/index.ts";
import type { StoredImage } from "../../shared/registry/index.ts";
import type { Decision } from "./decide.ts";
import type { PlacedService } from "./sources.ts";

/** A service on its way from sources to tags; each phase adds what it found. */
export interface Passage {
  readonly service: PlacedService;
  readonly decision: Decision;
  /** Undefined when it could not be made out or nothing is pushed. */
  readonly contentKey: ContentKey | undefined;
  /** The image of an earlier run, where one is known. */
  readonly before: StoredImage | undefined;
  /** What the builder made of it; undefined when it was not to be built. */
  readonly built: BakeResult | undefined;
  /** What the registry attests, by digest: the image in its repository first, then in its mirrors. */
  readonly images: readonly StoredImage[];
  /** What of the gate was passed or not checked, as phrases. */
  readonly gate: readonly string[];
  /** Whether its tags lead to the image, as the registry says. */
  readonly released: boolean;
  readonly failure: UserError | undefined;
}
