/** A text or value that does not have the form it should; the message says what is wrong with it. */
export class FormatError extends Error {}
