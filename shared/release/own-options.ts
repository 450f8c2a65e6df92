export interface OwnOptions {
  /** The longest wait for another run, in milliseconds. */
  readonly timeout: number;
  /** Make the namespace when it does not exist. */
  readonly createNamespace?: boolean;
  /** What to do while another run works on the release; `wait` when left out. */
  readonly whenBusy?: "wait" | "refuse";
}
