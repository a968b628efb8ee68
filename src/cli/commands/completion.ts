import type { Command } from 'commander'
import { Argument } from 'commander'
import type { Setting } from '../command.ts'

const shells = ['bash', 'zsh'] as const
type Shell = (typeof shells)[number]

export function addCompletionCommand(program: Command, { context }: Setting): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>').choices(shells))
    .description('print a script that completes commands: source <(daypass completion bash)')
    .action((shell: Shell) => {
      context.writeOut(scripts[shell](words(program)))
    })
}

/** `admin user` -> what may come next; `lint --kind` -> the values of an option. */
type Words = ReadonlyMap<string, readonly string[]>

function words(command: Command, path = '', found = new Map<string, readonly string[]>()): Words {
  const next = command.commands.map((each) => each.name())
  const options = command.options.map((option) => option.long ?? option.short ?? '')
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? [])
  found.set(path, [...next, ...choices, ...options, '--help'])
  for (const { long, argChoices } of command.options) {
    if (long !== undefined && argChoices) found.set(`${path} ${long}`, argChoices)
  }
  for (const each of command.commands) words(each, `${path} ${each.name()}`.trim(), found)
  return found
}

/** Names of commands and options are ours and hold nothing that a shell minds. */
function cases(found: Words): string {
  return [...found].map(([path, next]) => `    "${path}") echo "${next.join(' ')}" ;;`).join('\n')
}

const scripts: Readonly<Record<Shell, (found: Words) => string>> = {
  bash: (found) => `# bash completion for daypass
_daypass_words() {
  case "$1" in
${cases(found)}
  esac
}
_daypass() {
  local where="" word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    [[ "$word" == -* ]] && continue
    if [[ -n "$(_daypass_words "\${where:+$where }$word")" ]]; then
      where="\${where:+$where }$word"
    fi
  done
  local current="\${COMP_WORDS[COMP_CWORD]}" next
  next="$(_daypass_words "$where \${COMP_WORDS[COMP_CWORD - 1]}")"
  [[ -n "$next" ]] || next="$(_daypass_words "$where")"
  # Options only for who begins one: where nothing else is known, the shell then offers files.
  [[ "$current" == -* ]] || next="$(printf '%s\n' $next | grep -v '^-')"
  COMPREPLY=($(compgen -W "$next" -- "$current"))
}
complete -o default -F _daypass daypass
`,
  zsh: (found) => `#compdef daypass
_daypass_words() {
  case "$1" in
${cases(found)}
  esac
}
_daypass() {
  local where="" word
  for word in \${words[2,CURRENT-1]}; do
    [[ "$word" == -* ]] && continue
    if [[ -n "$(_daypass_words "\${where:+$where }$word")" ]]; then
      where="\${where:+$where }$word"
    fi
  done
  local -a next
  next=(\${=$(_daypass_words "$where \${words[CURRENT-1]}")})
  (( $#next )) || next=(\${=$(_daypass_words "$where")})
  [[ "$PREFIX" == -* ]] || next=(\${next:#-*})
  compadd -- $next
  _files
}
compdef _daypass daypass
`,
}
