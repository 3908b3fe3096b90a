/** Closes a `switch` over a union: a new member does not compile until it has a branch. */
export function assertNever(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
