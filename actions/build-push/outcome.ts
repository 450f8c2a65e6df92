import type { Outcome } from "../../shared/action/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import { failureOf } from "./failures.ts";
import { type ImageOutput, imagesOf, matrixOf } from "./images.ts";
import { writeImagesFile } from "./images-file.ts";
import type { OutputName } from "./inputs.ts";
import { seconds } from "./narrator.ts";
import type { Passage } from "./result.ts";
import type { Step } from "./step.ts";
import { summary } from "./summary.ts";

/**
 * What the step made, as outputs, file and summary.
 *
 * @param unreleased why no tag was moved although every service was well.
 */
export async function outcomeOf(
  passages: readonly Passage[],
  step: Step,
  unreleased?: UserError,
): Promise<Outcome<OutputName>> {
  const { options, world, journal, began, order } = step;
  const elapsed = world.clock.now() - began;
  const images = imagesOf(passages);
  const broken = failureOf(passages, unreleased, world.signal);
  // Whoever deploys from a file must not find one of a run that failed.
  const { file, unwritten } = broken === undefined ? await fileOf(images, step) : NO_FILE;
  const failure = broken ?? unwritten;
  const built = passages.filter((passage) => passage.built !== undefined);
  world.log.info(closingLine(passages, built.length, options.push, elapsed));
  return {
    outputs: {
      images,
      digests: Object.fromEntries(
        Object.entries(images).map(([name, { digest }]) => [name, digest]),
      ),
      changed: built.map(({ service }) => service.name),
      matrix: matrixOf(passages),
      "images-file": file,
      seconds: Number((elapsed / 1_000).toFixed(1)),
    },
    summary: summary(passages, {
      pushed: options.push,
      failure,
      elapsed,
      began,
      journal,
      notes: order.notes,
    }),
    failure,
  };
}

const NO_FILE = { file: "", unwritten: undefined };

/** What was released stays released when only the file cannot be written. */
async function fileOf(
  images: Readonly<Record<string, ImageOutput>>,
  { options, world }: Step,
): Promise<{ readonly file: string; readonly unwritten: UserError | undefined }> {
  try {
    return { file: await writeImagesFile(images, options, world), unwritten: undefined };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { file: "", unwritten: error };
  }
}

function closingLine(
  passages: readonly Passage[],
  built: number,
  pushed: boolean,
  elapsed: number,
): string {
  const time = seconds(elapsed);
  if (!pushed) return `${built} of ${passages.length} built in ${time}; nothing was pushed`;
  const released = passages.filter((passage) => passage.released).length;
  return `${released} of ${passages.length} released: ${built} built, ${passages.length - built} reused, in ${time}`;
}
