import type { Registry, StoredImage } from "../registry/index.ts";

/** An image that wants to pass, in its repository first, then in its mirrors. */
export interface GateImage {
  readonly service: string;
  /** It was built by an earlier run. */
  readonly reused: boolean;
  /** Digests of layers that came with its base images. */
  readonly baseLayers: ReadonlySet<string>;
  readonly places: readonly [GatePlace, ...GatePlace[]];
}

interface GatePlace {
  readonly image: StoredImage;
  readonly registry: Registry;
}
