# SPDX-License-Identifier: MIT
# Completion of shm-inspect for bash. Commands, options and columns are those that the tool's own help tells.

_shm_inspect_words() { # COMMAND PREVIOUS-WORD: what may come next, a word a line
  case $2 in
  -s | --state) printf '%s\n' in-use idle orphan unproven corrupt foreign unlinked ;;
  -k | --kind) printf '%s\n' array frame pool job reference ;;
  -o | --output | -S | --sort)
    printf '%s\n' name kind dtype shape bytes resident lifetime pool state owner age label note ;;
  -p | --pool) shm-inspect list --raw --noheadings --output name --kind pool 2>/dev/null ;;
  -d | --delay | --older-than | --head) ;;
  *) shm-inspect list --raw --noheadings --output name 2>/dev/null ;;
  esac
}

_shm_inspect() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "$(shm-inspect --help | awk '/^  [a-z]/ { print $1 }') --help --version" \
      -- "$word")
  elif [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(shm-inspect "$command" --help 2>/dev/null | grep -oE -e '--[a-z-]+')" \
      -- "$word")
  elif [ "$command" = import ] && [ "$COMP_CWORD" -eq 2 ] || [ "$command" = export ] && [ "$COMP_CWORD" -eq 3 ]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -W "$(_shm_inspect_words "$command" "$before")" -- "$word")
  fi
}

complete -F _shm_inspect shm-inspect
