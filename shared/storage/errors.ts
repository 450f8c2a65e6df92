import { UserError } from "../failure/index.ts";

/** What is to be written is there already, and was not to be replaced. */
export function existsAlready(name: string, place: string): UserError {
  return new UserError({
    title: "A backup is not overwritten",
    cause: `${name} exists already in ${place}.`,
    remedy: "Write under another name, or remove what is there first.",
  });
}

/** What is to be read is not there. */
export class NotThere extends UserError {}

export function notThere(name: string, place: string): UserError {
  return new NotThere({
    title: "A file of the backup is not there",
    cause: `${name} does not exist in ${place}.`,
    remedy: "Check the name, and whether a retention rule or somebody has deleted it.",
  });
}

/** Less came, or other bytes, than the storage itself said there would be. */
export function notAsStored(name: string, place: string, what: string): UserError {
  return new UserError({
    title: "What was read is not what is stored",
    cause: `${name} in ${place}: ${what}.`,
    remedy:
      "Read it again; if it stays so, the stored file is damaged, and an older backup has to serve.",
  });
}
