import { UserError } from "../../shared/failure/index.ts";
import { type KubernetesObject, nameOf, refOf } from "../../shared/kubernetes/index.ts";

/**
 * The annotation by which a version says in which form it leaves its data: on a workload, or on
 * its pod template. Any text will do; a version that migrates the data so that an older one could
 * not read it has another.
 */
export const DATA_SCHEMA = "seaworthy.dev/data-schema";

interface Templated extends KubernetesObject {
  readonly spec?: {
    readonly template?: {
      readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
    };
  };
}

/** The data schema of an object; undefined where it names none. */
export function dataSchemaOf(object: KubernetesObject): string | undefined {
  const { metadata, spec }: Templated = object;
  return (
    spec?.template?.metadata?.annotations?.[DATA_SCHEMA] ?? metadata.annotations?.[DATA_SCHEMA]
  );
}

/**
 * Refuses to go back to a version that cannot read the data as they are now, unless the user names
 * the schema of the version that is gone back to.
 *
 * @param accepted what the user wrote in `data-schema`.
 * @throws {UserError} naming both schemas.
 */
export function refuseOldSchema(
  before: readonly KubernetesObject[],
  after: readonly KubernetesObject[],
  accepted: string | undefined,
): void {
  const then = new Map(after.map((object) => [nameOf(refOf(object)), dataSchemaOf(object)]));
  for (const object of before) {
    const name = nameOf(refOf(object));
    const now = dataSchemaOf(object);
    const old = then.get(name);
    if (now === undefined || now === old) continue;
    if (accepted !== undefined && accepted === (old ?? "none")) continue;
    throw new UserError({
      title: "The data were migrated",
      cause: `${name} has left its data in schema ${now}, and the revision to go back to ${old === undefined ? "names none" : `reads schema ${old}`} (annotation ${DATA_SCHEMA}).`,
      remedy: `Migrate the data back or restore them, or go forward with a fix. If the older version can read them all the same, set \`data-schema: ${old ?? "none"}\`. Nothing was changed.`,
    });
  }
}
