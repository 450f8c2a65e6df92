/** A program that did not do what was asked: everything one needs to know to say why. */
export class CommandFailed extends Error {
  /** As it was run, secrets redacted. */
  readonly commandLine: string;
  /** Undefined when it was killed or could not be started. */
  readonly exitCode: number | undefined;
  readonly killedBy: NodeJS.Signals | undefined;
  readonly why:
    | "exit"
    | "signal"
    | "deadline"
    | "cancelled"
    | "not-found"
    | "not-startable"
    | "output";
  /** The last lines of each stream, redacted. */
  readonly stdoutTail: string;
  readonly stderrTail: string;
  readonly milliseconds: number;

  constructor(parts: {
    readonly message: string;
    readonly commandLine: string;
    readonly why: CommandFailed["why"];
    readonly exitCode?: number | undefined;
    readonly killedBy?: NodeJS.Signals | undefined;
    readonly stdoutTail?: string;
    readonly stderrTail?: string;
    readonly milliseconds: number;
  }) {
    super(parts.message);
    this.name = "CommandFailed";
    this.commandLine = parts.commandLine;
    this.why = parts.why;
    this.exitCode = parts.exitCode;
    this.killedBy = parts.killedBy;
    this.stdoutTail = parts.stdoutTail ?? "";
    this.stderrTail = parts.stderrTail ?? "";
    this.milliseconds = parts.milliseconds;
  }
}
