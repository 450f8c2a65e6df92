export { type ApiAnswer, type ApiRequest, jsonIn, WebApi, wordsOf } from "./web-api.ts";
