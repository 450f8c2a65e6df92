export { idToken } from "./id-token.ts";
export type { SignInSettings, SignInWorld } from "./settings.ts";
export { type SignedIn, signIn } from "./sign-in.ts";
