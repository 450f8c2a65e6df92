export { Html, html } from "./html.ts";
export { style } from "./style.ts";
