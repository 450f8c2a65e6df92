export { codeOf, describe, stackOf } from "./describe.ts";
export { FormatError } from "./format-error.ts";
export { nearestName } from "./nearest-name.ts";
export { type Place, UserError, type UserErrorParts } from "./user-error.ts";
