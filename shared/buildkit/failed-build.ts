import type { DockerfileLocation } from "./build-error.ts";
import type { FailedStep } from "./build-event.ts";

/** A build that failed, with all that is known of it. */
export interface FailedBuild {
  /** The service's name. */
  readonly name: string;
  /** The Dockerfile in which it broke, as messages show it. */
  readonly dockerfile: string;
  /** Whether that is a file of the workspace, so that a line of it can be annotated. */
  readonly annotated: boolean;
  /** The service that this one is built on, where it was that one's Dockerfile. */
  readonly builtOn: string | undefined;
  /** host/path of the image. */
  readonly image: string;
  readonly builder: string | undefined;
  /** The error in buildx's words. */
  readonly error: string;
  readonly located: DockerfileLocation | undefined;
  /** The step that broke by itself. */
  readonly failed: FailedStep | undefined;
  /** The step that was under way when the build was ended from outside. */
  readonly stopped: string | undefined;
  /** Of a file that the context lacks: what a look at the folder says. */
  readonly missing: string | undefined;
  /** A sentence on how often it was tried, where that was more than once for what could pass. */
  readonly tried: string | undefined;
  /** The last plain lines of buildx. */
  readonly text: readonly string[];
}
