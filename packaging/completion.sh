# Completion of luaccel and vaccelrt-agent for bash: what their --help says is what there is.
# shellcheck shell=bash

# Options, or the words of commands that go on from those that are on the command line.
_luaccel() {
	local program=$1 word=$2 line i help=() said=() words=() fits=()
	COMPREPLY=()
	mapfile -t help < <("$program" --help 2>/dev/null)
	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -* ]] || said+=("${COMP_WORDS[i]}")
	done
	for line in "${help[@]}"; do
		if [[ $word == -* ]]; then
			[[ $line =~ ^\ +(-[a-zA-Z],\ )?(--[a-z-]+)(,\ (--[a-z-]+))? ]] &&
				fits+=("${BASH_REMATCH[2]}" ${BASH_REMATCH[4]:+"${BASH_REMATCH[4]}"})
		elif [[ $line =~ ^\ \ ([a-z]+(\ [a-z]+)?) && "${BASH_REMATCH[1]} " == "${said[*]}${said:+ }"* ]]; then
			read -ra words <<<"${BASH_REMATCH[1]}"
			fits+=("${words[${#said[@]}]}")
		fi
	done
	mapfile -t COMPREPLY < <(compgen -W "${fits[*]}" -- "$word" | sort -u)
}

complete -o default -F _luaccel luaccel vaccelrt-agent
