import { UserError } from "../../../shared/failure/index.ts";
import type { World } from "../../../shared/world/index.ts";
import type { Options } from "../inputs.ts";
import type { Files } from "./files.ts";

export async function openPodFiles(_: Options, __: World): Promise<Files> {
  throw new UserError({ title: "x", cause: "x", remedy: "x" });
}
