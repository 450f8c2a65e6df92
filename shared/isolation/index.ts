export { type Isolation, isolationHere, type Safeguard } from "./isolation.ts";
