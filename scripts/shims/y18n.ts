import { format } from "node:util";

interface Messages {
  __(text: string, ...values: unknown[]): string;
  __n(one: string, many: string, quantity: number, ...values: unknown[]): string;
  getLocale(): string;
  setLocale(locale: string): void;
  updateLocale(messages: object): void;
}

/**
 * Stands in for `y18n` in the bundle: the package looks for translations in a directory that a bundle does not
 * have (three failing file look-ups at every start, next to our own package). Messages are English, always.
 */
export default function y18n(): Messages {
  return {
    __: (text: string, ...values: unknown[]) => format(text, ...values.filter(notCallback)),
    __n: (one: string, many: string, quantity: number, ...values: unknown[]) => {
      const text = quantity === 1 ? one : many;
      return format(
        text,
        ...(text.includes("%d") ? [quantity] : []),
        ...values.filter(notCallback),
      );
    },
    getLocale: () => "en",
    setLocale: () => {},
    updateLocale: () => {},
  };
}

const notCallback = (value: unknown): boolean => typeof value !== "function";
