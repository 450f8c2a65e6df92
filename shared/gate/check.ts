import type { UserError } from "../failure/index.ts";

/** What an image is held to before its tags move. */
export type CheckName = "secrets" | "vulnerabilities" | "signature";

/** What came of one check of one image. */
export interface GateCheck {
  readonly name: CheckName;
  readonly state: "passed" | "failed" | "not checked";
  /** What was found, or why it was not checked: "no vulnerability that is high or worse". */
  readonly phrase: string;
  readonly failure?: UserError | undefined;
}

/** What came of the gate for one service. */
export interface GateVerdict {
  readonly service: string;
  readonly checks: readonly GateCheck[];
  /** Why its tags must not move; undefined when they may. */
  readonly failure: UserError | undefined;
}

export function passed(name: CheckName, phrase: string): GateCheck {
  return { name, state: "passed", phrase };
}

export function failed(name: CheckName, failure: UserError): GateCheck {
  return { name, state: "failed", phrase: failure.title, failure };
}

export function notChecked(name: CheckName, phrase: string): GateCheck {
  return { name, state: "not checked", phrase };
}
