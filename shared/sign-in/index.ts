export { type FoundKeys, findAwsKeys } from "./aws-keys.ts";
export { type AwsKeys, escaped, signatureHeaders } from "./aws-signature.ts";
export { type AwsSite, cloudOf } from "./cloud.ts";
export { type EcrApi, openEcr } from "./ecr-api.ts";
export { idToken } from "./id-token.ts";
export type { SignInSettings, SignInWorld } from "./settings.ts";
export { type SignedIn, signIn } from "./sign-in.ts";
