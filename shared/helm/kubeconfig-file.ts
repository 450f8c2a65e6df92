import { kubeconfigContent } from "../kubernetes/index.ts";
import type { PrivateFolder } from "./values-folder.ts";

/**
 * The path of a kubeconfig for Helm, which takes nothing else: content is written to a file that
 * nobody else can read, a path stays as it is.
 *
 * @param given a path, content, or content in base64.
 */
export async function kubeconfigFile(
  given: string | undefined,
  folder: PrivateFolder,
): Promise<string | undefined> {
  const content = given === undefined ? undefined : kubeconfigContent(given);
  if (content === undefined) return given;
  return folder.write("kubeconfig", { title: "the input kubeconfig", text: content });
}
