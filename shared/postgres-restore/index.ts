export type { Safeguard } from "./server/isolation.ts";
export { LimitReached, type Part, type RestoreTarget, ServerGone, type Staging } from "./target.ts";
export {
  type DatabaseLocale,
  openThrowAway,
  type ThrowAwayServer,
  type ThrowAwaySettings,
} from "./throw-away.ts";
