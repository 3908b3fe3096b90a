/** Whether what is written there may be coloured: `FORCE_COLOR` and `NO_COLOR` rule, else a terminal that is not dumb. */
export function wantsColour(
  { isTTY }: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  const { FORCE_COLOR: forced, NO_COLOR: refused = "", TERM: terminal } = env;
  if (forced !== undefined) return forced !== "0" && forced !== "false";
  return refused === "" && terminal !== "dumb" && isTTY === true;
}
