export { Identity } from "./identity.ts";
export { type Answer, Internet, type Request, type Site } from "./internet.ts";
