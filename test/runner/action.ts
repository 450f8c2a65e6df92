import { join } from "node:path";
import { root } from "../../scripts/action-manifest.ts";

/** An action as users get it; its source where SEAWORTHY_TEST_SOURCE is set, for quick turns. */
export function bundleOf(action: string): string {
  return process.env.SEAWORTHY_TEST_SOURCE === undefined
    ? join(root, "dist", action, "index.js")
    : join(root, "actions", action, "main.ts");
}
