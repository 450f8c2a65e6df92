import { readFileSync } from "node:fs";
import { join } from "node:path";
import { contentKeyOf } from "../../shared/content-key/index.ts";

/**
 * What the bench `content-key` measures: a process that makes the key of the folder it is given, as
 * build-push does, and tells what it cost. Bundled, as build-push is.
 */
const folder = process.argv[2] ?? "";
const { key, files } = await contentKeyOf(
  {
    context: folder,
    dockerfile: join(folder, "Dockerfile"),
    dockerfileText: "FROM scratch\nCOPY . /\n",
    buildArgs: {},
    secrets: [],
    platforms: ["linux/amd64"],
  },
  {
    resolve: (image) => Promise.reject(new Error(`nobody needs ${image}`)),
    builder: "none",
    signal: new AbortController().signal,
  },
);
const kilobytes = Number(/VmHWM:\s*(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
console.log(JSON.stringify({ key, files, kilobytes }));
