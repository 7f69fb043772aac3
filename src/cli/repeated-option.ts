/** Options that may be given several times: those that commands.ts calls repeatable. */

/** Values of `--name VALUE` and `--name=VALUE`, in their order. */
export function repeatedOption(rawArgs: readonly string[], name: string): string[] {
  const values: string[] = [];
  const end = rawArgs.indexOf('--');
  const words = end < 0 ? rawArgs : rawArgs.slice(0, end);
  words.forEach((word, i) => {
    if (word === `--${name}`) values.push(words[i + 1] ?? '');
    else if (word.startsWith(`--${name}=`)) values.push(word.slice(name.length + 3));
  });
  return values;
}
