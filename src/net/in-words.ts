/** Seconds or milliseconds, as a person reads them. */
export const inWords = (ms: number): string => (ms % 1000 === 0 ? `${ms / 1000} s` : `${ms} ms`);
