export { amountOf } from "./kubernetes.ts";
export { bytesInWords, countInWords, secondsInWords } from "./quantity.ts";
