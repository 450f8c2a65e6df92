import { createHash } from "node:crypto";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { dockerFolder } from "../../registry/index.ts";

/**
 * Whether docker has a context of that name, which buildx takes for a builder too. It keeps it in a
 * folder called by the hash of the name. Source: docker/cli, metadatastore.go.
 */
export function contextExists(
  name: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<boolean> {
  const id = createHash("sha256").update(name).digest("hex");
  const file = join(dockerFolder(environment), "contexts", "meta", id, "meta.json");
  return access(file).then(
    () => true,
    () => false,
  );
}
