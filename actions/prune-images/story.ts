import type { Journal } from "../../shared/journal/index.ts";
import type { Options } from "./inputs.ts";
import type { Uses } from "./uses.ts";

/** What outcome and summary are made of. */
export interface Story {
  readonly options: Options;
  readonly uses: Uses;
  /** Where uses were looked for. */
  readonly told: readonly string[];
  readonly notes: readonly string[];
  readonly journal: Journal;
}

/** An image that was deleted, or would be. */
export interface DeletedImage {
  readonly repository: string;
  readonly digest: string;
  readonly tags: readonly string[];
  /** RFC 3339; empty where it is not known. */
  readonly created: string;
  /** Manifests that belonged to it and went with it. */
  readonly parts: number;
}
