const HARMLESS =
  /^(CI|NODE_ENV|LANG|LANGUAGE|LC_[A-Z]+|TZ|NO_COLOR|FORCE_COLOR|CLICOLOR|COLUMNS|LINES|TERM|VERBOSE|_)$/;
const LOWER = /^[a-z_][a-z\d_]*$/;
/** Lower-case names that programs read all the same. */
const READ = /_proxy$|^npm_/;

/**
 * Whether setting the variable can only change what is printed. Others can name a program or a file (`PATH`, `GIT_SSH_COMMAND`, `IFS`);
 * no list of them would be whole. Names in lower case are taken for the script's own.
 */
export const isHarmlessVariable = (name: string): boolean =>
  HARMLESS.test(name) || (LOWER.test(name) && !READ.test(name));
