/**
 * `hunt completion bash|zsh|fish`: a script that completes commands and their options, made from the commands themselves.
 */

import { defineCommand, type ArgsDef } from 'citty';
import { OperatingError } from '../errors.ts';

interface Option {
  readonly name: string;
  readonly description: string;
}

interface Completed {
  readonly name: string;
  readonly description: string;
  readonly options: readonly Option[];
}

const SHELLS: ReadonlyMap<string, (commands: readonly Completed[]) => string> = new Map([
  ['bash', bashScript],
  ['zsh', zshScript],
  ['fish', fishScript],
]);

export const completionCommand = defineCommand({
  args: {
    shell: {
      type: 'positional',
      required: true,
      description: 'bash, zsh or fish; for example: source <(hunt completion bash)',
    },
  },
  async run({ args }) {
    const script = SHELLS.get(args.shell);
    if (script === undefined) {
      const known = [...SHELLS.keys()].join(', ');
      throw new OperatingError('bad_option', `no completion for this shell: shell=${args.shell}; known are ${known}`);
    }
    process.stdout.write(script(await completedCommands()));
  },
});

async function completedCommands(): Promise<Completed[]> {
  const { COMMANDS } = await import('./commands.ts');
  const all = Object.entries(COMMANDS).map(async ([name, { description, load }]) => {
    const command = await load();
    const options = Object.entries((await command.args) as ArgsDef)
      .filter(([, definition]) => definition.type !== 'positional')
      .map(([option, definition]) => ({ name: option, description: definition.description ?? '' }));
    return { name, description, options: [...options, { name: 'help', description: 'What the command does' }] };
  });
  return Promise.all(all);
}

/** In single quotes of a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function bashScript(commands: readonly Completed[]): string {
  const cases = commands.map(
    ({ name, options }) => `    ${name}) words="${options.map((option) => `--${option.name}`).join(' ')}" ;;`,
  );
  return `_hunt() {
  local word="\${COMP_WORDS[COMP_CWORD]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(' ')} help" -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    help) words="${commands.map(({ name }) => name).join(' ')}" ;;
  esac
  if [[ "$word" == -* || "\${COMP_WORDS[1]}" == help ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  else
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}
complete -o filenames -F _hunt hunt
`;
}

function zshScript(commands: readonly Completed[]): string {
  /** A colon parts a name from its description. */
  const described = (name: string, text: string): string => quoted(`${name}:${text.replaceAll(':', '\\:')}`);
  const cases = commands.map(({ name, options }) => {
    const words = options.map((option) => described(`--${option.name}`, option.description));
    return `    ${name}) options=(${words.join(' ')}) ;;`;
  });
  return `#compdef hunt
_hunt() {
  local -a options commands
  local command="$words[2]"
  commands=(${commands.map(({ name, description }) => described(name, description)).join(' ')} 'help:Tell the options of a command')
  if (( CURRENT == 2 )); then
    _describe 'command' commands
    return
  fi
  case "$command" in
${cases.join('\n')}
    help) _describe 'command' commands; return ;;
  esac
  if [[ "$PREFIX" == -* ]]; then
    _describe 'option' options
  else
    _files
  fi
}
compdef _hunt hunt
`;
}

function fishScript(commands: readonly Completed[]): string {
  const lines = commands.flatMap(({ name, description, options }) => [
    `complete -c hunt -n __fish_use_subcommand -a ${name} -d ${fishQuoted(description)}`,
    ...options.map(
      (option) =>
        `complete -c hunt -n '__fish_seen_subcommand_from ${name}' -l ${option.name} -d ${fishQuoted(option.description)}`,
    ),
  ]);
  return `${lines.join('\n')}\n`;
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
