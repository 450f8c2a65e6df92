export { bytesInWords, countInWords, secondsInWords } from "./quantity.ts";
