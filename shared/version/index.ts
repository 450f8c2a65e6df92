export { parseRange, type Range, satisfies } from "./range.ts";
export { compareNumbers, compareVersions, parseVersion, type Version } from "./version.ts";
