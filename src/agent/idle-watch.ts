/** Fires when nobody has touched it for `ms`. */
export interface IdleWatch extends Disposable {
  touch(): void;
}

/**
 * One timer, re-armed only when it fires: a touch costs a clock reading, however many deltas there are.
 * `onIdle` is called at most once.
 */
export function watchIdle(ms: number, now: () => number, onIdle: () => void): IdleWatch {
  let touched = now();
  let timer: NodeJS.Timeout | undefined;
  const arm = (wait: number): void => {
    timer = setTimeout(
      () => {
        const left = touched + ms - now();
        if (left > 0) arm(left);
        else onIdle();
      },
      Math.max(1, wait),
    );
  };
  arm(ms);
  return {
    touch: () => {
      touched = now();
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
