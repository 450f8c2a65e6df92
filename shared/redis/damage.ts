/** An RDB that is not as the format wants it. */
export class RdbDamage extends Error {
  /** A phrase that goes on from `The RDB`. */
  readonly what: string;
  /** In bytes from its beginning. */
  readonly offset: number;

  constructor(what: string, offset: number) {
    super(`The RDB ${what}, at byte ${offset}`);
    this.name = "RdbDamage";
    this.what = what;
    this.offset = offset;
  }
}
