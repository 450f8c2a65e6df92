import { createHash } from "node:crypto";
import type { ObjectRef } from "../kubernetes/index.ts";
import { type Claim, newHolder, pageOf } from "../lease/index.ts";

/** A set of objects that are deployed together, by name, and the namespace it is at home in. */
export interface ApplySetRef {
  readonly name: string;
  readonly namespace: string;
}

/** What a set may be called: short enough for the names of its records and for a label. */
export const SET_NAME = /^(?=.{1,40}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** The object that stands for the set: a Secret, which is kubectl's default for an ApplySet. */
export function parentRef({ name, namespace }: ApplySetRef): ObjectRef {
  return { apiVersion: "v1", kind: "Secret", namespace, name: `applyset-${name}` };
}

/**
 * The identity of a set, which its members carry as a label. Its form is that of the ApplySet
 * specification (KEP-3659), version 1: a hash of the parent's name, namespace, kind and group.
 */
export function setId(set: ApplySetRef): string {
  const { name, namespace, kind } = parentRef(set);
  const text = [name, namespace, kind, ""].join(".");
  return `applyset-${createHash("sha256").update(text).digest("base64url")}-v1`;
}

/** The claim on a set, so that of two runs one alone works on it. */
export function claimOn(
  set: ApplySetRef,
  environment: Readonly<Record<string, string | undefined>>,
): Claim {
  return {
    name: `seaworthy-applyset-${set.name}`,
    namespace: set.namespace,
    subject: `set ${set.name}`,
    holder: newHolder(environment),
    page: pageOf(environment),
  };
}
