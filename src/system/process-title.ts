/**
 * What `ps` and /proc show of this process: anybody on the machine may read the arguments of a command line, so those that
 * hold secrets are covered in place. Called by main.ts before anything else.
 */

const SECRET_OPTION = /^--?[\w-]*(key|password|secret|token)$/i;
const SECRET_IN_OPTION = /^(--?[\w-]*(?:key|password|secret|token)=)./i;
/** `http://user:password@host` */
const CREDENTIALS = /(:\/\/[^/\s:@]*:)[^/\s@]+@/g;
const COVER = '***';

/** The title to set, or undefined where nothing is secret. `args` are those after the program. */
export function titleWithoutSecrets(args: readonly string[]): string | undefined {
  const shown = args.map((arg, index) => {
    const before = args[index - 1];
    if (before !== undefined && SECRET_OPTION.test(before)) return COVER;
    const name = SECRET_IN_OPTION.exec(arg)?.[1];
    return name === undefined ? arg.replace(CREDENTIALS, `$1${COVER}@`) : `${name}${COVER}`;
  });
  return shown.every((arg, index) => arg === args[index]) ? undefined : ['hunt', ...shown].join(' ');
}
