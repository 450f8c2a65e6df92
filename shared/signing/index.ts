export type { SigningExecution } from "./cosign.ts";
export { Signing, type SigningSettings, type VerifiedSignature } from "./signing.ts";
export type { KeySettings } from "./signing-key.ts";
