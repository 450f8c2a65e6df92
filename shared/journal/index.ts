export { Journal, type Phase } from "./journal.ts";
export { timeline } from "./timeline.ts";
