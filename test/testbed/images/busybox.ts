import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Bed } from "../bed.ts";
import type { Tool } from "../piece.ts";
import { run } from "../run.ts";
import { digest, type Image, provide } from "./image.ts";

/** A shell and the usual small programs. */
export const busybox: Image = {
  repository: "testbed/busybox",
  tag: "1",
  config: { Cmd: ["sh"], Env: ["PATH=/usr/bin:/bin"] },
  key: (bed) => digest(program(bed)),
  fill: addBusybox,
};

/** The busybox image in the registry. */
export const busyboxImage: Tool = {
  name: "busybox-image",
  needs: ["registry"],
  packages: ["busybox-static"],
  prepare: (bed) => provide(bed, busybox),
};

/** Adds busybox, a user for programs that need no rights, and the folders that programs expect. */
export async function addBusybox(bed: Bed, root: string): Promise<void> {
  const folders = ["bin", "usr/bin", "etc", "tmp", "root", "home/node", "var/tmp"];
  for (const folder of folders) await mkdir(join(root, folder), { recursive: true });
  await copyFile(program(bed), join(root, "bin/busybox"));
  const applets = (await run(program(bed), ["--list"])).trim().split("\n");
  for (const applet of applets.filter((name) => name !== "busybox")) {
    await symlink("/bin/busybox", join(root, applet === "env" ? "usr/bin" : "bin", applet));
  }
  const write = (name: string, text: string) => writeFile(join(root, "etc", name), text);
  await write("passwd", "root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n");
  await write("group", "root:x:0:\nnode:x:1000:\n");
  await write("nsswitch.conf", "hosts: files dns\n");
  // The layer gives every file to root; all may write here, as in other images.
  for (const folder of ["tmp", "var/tmp", "home/node"]) await chmod(join(root, folder), 0o1777);
}

function program(bed: Bed): string {
  // Debian moved it from the one to the other.
  const files = ["bin/busybox", "usr/bin/busybox"].map((file) =>
    bed.debian("busybox-static", file),
  );
  return files.find((file) => existsSync(file)) ?? "busybox";
}
