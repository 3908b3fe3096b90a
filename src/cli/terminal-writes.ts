/** What Node does not tell of its terminal streams. */
interface TerminalHandle {
  readonly fd: number;
  setBlocking(on: boolean): number;
}

/**
 * Node writes to a terminal synchronously: one that stands still (Ctrl-S, an emulator that hangs) would hold the process with its time
 * limits and its signals. From now on such a write waits in the event loop; one that the terminal takes is made at once as before.
 */
export function writeWithoutBlocking(stream: NodeJS.WriteStream): void {
  if (!stream.isTTY) return;
  const { _handle: handle } = stream as { _handle?: Partial<TerminalHandle> };
  // Opened anew by libuv, with flags of its own: else the shell's terminal would stay non-blocking after us.
  if (handle?.fd !== undefined && handle.fd > 2) handle.setBlocking?.(false);
}
