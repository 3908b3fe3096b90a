/** One member, or none when the value is null: for flags that were not given. */
export function defined<K extends string, V>(key: K, value: V | null): { [P in K]?: V } {
  return (value === null ? {} : { [key]: value }) as { [P in K]?: V };
}
