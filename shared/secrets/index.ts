export { secretLooking } from "./secret-looking.ts";
export { Secrets } from "./secrets.ts";
