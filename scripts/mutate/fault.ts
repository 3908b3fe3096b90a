/** One deliberate fault of src/session: the words `find`, which stand there once, become `put`. */
export interface Fault {
  /** What it breaks. */
  readonly name: string;
  /** In src/session. */
  readonly file: string;
  readonly find: string;
  readonly put: string;
}
