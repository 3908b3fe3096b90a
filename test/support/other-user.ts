/**
 * Runs `work` as a user who may not write what is not his: root, who may write everything, becomes `nobody` for that long. Others stay
 * who they are; `work` must meet a directory that they may not write (mode 0555).
 */
export function asOrdinaryUser<T>(work: () => T): T {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    return work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}
