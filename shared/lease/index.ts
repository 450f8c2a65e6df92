export { type Claim, newHolder, pageOf } from "./claim.ts";
export { type HeldLease, NamespaceMissing, type Taken, takeLease, type Waiting } from "./lease.ts";
