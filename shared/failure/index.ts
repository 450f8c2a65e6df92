export { codeOf, describe } from "./describe.ts";
export { nearestName } from "./nearest-name.ts";
export { UserError, type UserErrorParts } from "./user-error.ts";
