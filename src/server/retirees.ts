/** Clients that have left for good: the last hundred thousand, since a server may run for years. */
export interface Retirees {
  add(clientId: string): void;
  has(clientId: string): boolean;
}

const MOST = 100_000;

export function retireesOf(most: number = MOST): Retirees {
  const ids = new Set<string>();
  return {
    add: (clientId) => {
      ids.delete(clientId);
      ids.add(clientId);
      const [oldest] = ids;
      if (ids.size > most && oldest !== undefined) ids.delete(oldest);
    },
    has: (clientId) => ids.has(clientId),
  };
}
