#!/usr/bin/env bash
# Fuzzing: runs the targets of spec/fuzz, which the preset fuzz has built in build-fuzz.
#
#   scripts/fuzz.sh [TARGET|all] [SECONDS]    for the night: each target for so long (an hour) on all
#                                             cores, from what earlier nights have found
#   scripts/fuzz.sh run TARGET RUNS           the committed corpus, and so many runs from it, always
#                                             the same
#   scripts/fuzz.sh planted TARGET REPORT     the target's twin with a bug must report it in a minute
#                                             of the processor's time (REPORT is an extended regular
#                                             expression)
#   scripts/fuzz.sh coverage                  of what `run` has run, for each file of each target
#   scripts/fuzz.sh keep                      the corpora of the nights, minimised, into spec/fuzz/corpus
#
# Inputs that fail are kept in build-fuzz/finds; `run` says how one is run again.
set -euo pipefail
cd "$(dirname "$0")/.."

build=${LUACCEL_FUZZ_BUILD:-$PWD/build-fuzz}
committed=$PWD/spec/fuzz/corpus
targets=(frames decode shared offer conn session resource upload image genop models control client text)
# The targets' libvaccel starts when they say so, and their agent logs to stderr.
export VACCEL_BOOTSTRAP_ENABLED=0
export LLVM_PROFILE_FILE=/dev/null

die() {
	echo "fuzz: $*" >&2
	exit 1
}

is_target() { [[ " ${targets[*]} " == *" $1 "* ]]; }

# fuzz PROGRAM CORPUS... -- FLAG...: finds go to build-fuzz/finds
fuzz() {
	local program=$build/fuzz/fuzz-$1 corpora=()
	shift
	while [ "$1" != -- ]; do
		corpora+=("$1")
		shift
	done
	shift
	[ -x "$program" ] || die "no $program; cmake --preset fuzz && cmake --build build-fuzz"
	mkdir -p "$build/finds"
	# A run takes a tenth of a millisecond. What takes minutes hangs, also where a machine is so busy
	# that it stands still for a while.
	"$program" -close_fd_mask=3 -timeout=120 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$build/finds/$(basename "$program")-" "$@" "${corpora[@]}"
}

# Short enough for many runs; the nights go on to longer inputs.
max_len() {
	case $1 in
	frames) echo 6000 ;;
	decode) echo 700 ;;
	text) echo 250 ;;
	conn) echo 300 ;;
	upload) echo 100 ;;
	offer) echo 40 ;;
	control) echo 24 ;;
	*) echo 60 ;;
	esac
}

quietly() { grep -avE '^#[0-9]+.*(NEW|REDUCE|RELOAD|pulse)|NEW_FUNC|# Uses:|ecommended dictionary'; }

# The committed corpus by name: a folder's order is another on each machine, and so would be the runs.
# The list may not end a line: that would be part of the last name.
seeds() { find "$committed/$1" -type f | LC_ALL=C sort | paste -sd , | tr -d '\n'; }

# From a fixed seed, so that a change fails by what it does and not by luck; new luck is for the nights.
from_seeds() { # PROGRAM TARGET FLAG...
	local program=$1 target=$2 new=$build/fuzz/new-$1
	shift 2
	rm -rf "$new"
	mkdir -p "$new"
	seeds "$target" >"$new.seeds"
	fuzz "$program" "$new" -- -seed_inputs=@"$new.seeds" -seed=4 -entropic=0 -reload=0 \
		-max_len="$(max_len "$target")" "$@"
}

tell_finds() { # TARGET SINCE: what has been found since this file was made
	local file
	find "$build/finds" -name "fuzz-$1-*" -newer "$2" | while read -r file; do
		echo "fuzz: $1 found what is kept in $file; where that is out of reach, make it of these lines by base64 -d:"
		base64 "$file"
		echo "fuzz: this runs it again:"
		echo "  VACCEL_BOOTSTRAP_ENABLED=0 ASAN_OPTIONS=malloc_context_size=30 $build/fuzz/fuzz-$1 $file"
	done
}

run() { # TARGET RUNS
	local log begun status=0
	log=$(mktemp)
	begun=$(mktemp)
	rm -rf "$build/fuzz/profile/$1"[-.]*
	mkdir -p "$build/fuzz/profile"
	export LLVM_PROFILE_FILE="$build/fuzz/profile/$1-%m.profraw"
	# First what is committed, however long.
	{ fuzz "$1" "$committed/$1" -- -runs=0 2>&1 | quietly &&
		from_seeds "$1" "$1" -runs="$2" 2>&1 | quietly | tee "$log"; } || status=$?
	tell_finds "$1" "$begun"
	grep -aE '^Done [0-9]+ runs' "$log" | sed "s/^Done/fuzz: $1:/" | tee "$build/fuzz/profile/$1.runs" ||
		status=1
	rm "$log" "$begun"
	return "$status"
}

planted() { # TARGET REPORT
	local log status=0
	log=$(mktemp)
	(
		ulimit -t 60
		from_seeds "$1-planted" "$1"
	) >"$log" 2>&1 || status=$?
	rm -f "$build/finds/fuzz-$1-planted-"*
	if [ "$status" = 0 ] || ! grep -aE "$2" "$log"; then
		tail -n 40 "$log"
		rm "$log"
		die "the bug planted for $1 was not found within a minute (or another: \"$2\" was expected)"
	fi
	grep -aE 'number_of_executed_units|average_exec' "$log"
	rm "$log"
}

# The files that a target is there for.
files_of() {
	case $1 in
	frames) echo runtime/ttrpc/{reader,frame}.c ;;
	decode) echo runtime/ttrpc/{decode,arena,encode}.c ;;
	shared) echo runtime/ttrpc/{shared,segments,reader}.c ;;
	offer) echo runtime/ttrpc/{offer,client_shared,client_stream,client_write,shared}.c ;;
	conn) echo runtime/ttrpc/{conn,request,reply,server,server_stream}.c ;;
	session) echo agent/{service,service_session,session,connection,operation,operation_end,operation_work,strand}.c ;;
	resource) echo agent/{service_resource,resource,host_files,idmap}.c ;;
	upload) echo agent/{service_upload,upload_offer,content}.c runtime/digest/digest.c ;;
	image) echo agent/{service_image,operation,operation_work,gate,reply}.c ;;
	genop) echo agent/service_genop{,_stream}.c agent/profile.c runtime/ops/genop*.c ;;
	models) echo agent/{service_model,service_tf,service_tflite,service_torch,model}.c ;;
	control) echo agent/{control,control_answer,control_list,record,record_line,record_queue,record_send,listeners,lifecycle,reload}.c ;;
	client) echo runtime/ttrpc/client{,_read,_write}.c plugins/rpc/*.c ;;
	text) echo runtime/ttrpc/address.c agent/{options,agent_limits,allow}.c runtime/core/uri.c ;;
	esac
}

# Lines of these files that must at least have run, in percent: a little fewer than do, since a
# change may add some that no input can reach, such as what follows when memory is short.
least() {
	case $1 in
	offer) echo 93 ;;
	models) echo 92 ;;
	decode) echo 87 ;;
	frames | shared | conn | upload) echo 82 ;;
	control) echo 79 ;;
	resource) echo 77 ;;
	session | image | genop) echo 73 ;;
	client | text) echo 68 ;;
	*) echo 100 ;; # nobody has said
	esac
}

coverage() {
	local target files objects object percent short=0
	for target in "${targets[@]}"; do
		[ -s "$build/fuzz/profile/$target.runs" ] ||
			die "$target has not run; scripts/fuzz.sh run $target 1000"
		llvm-profdata merge -o "$build/fuzz/profile/$target.profdata" \
			"$build/fuzz/profile/$target-"*.profraw
		objects=()
		for object in "$build"/lib/libvaccel.so "$build"/fuzz/libvaccel-fuzz-rpc.so; do
			objects+=(-object "$object")
		done
		read -ra files <<<"$(files_of "$target")"
		printf '\n=== coverage of %s: file, lines, of them not run, percent\n' "$target"
		llvm-cov report "$build/fuzz/fuzz-$target" "${objects[@]}" \
			-instr-profile="$build/fuzz/profile/$target.profdata" "${files[@]}" 2>/dev/null |
			awk '$1 ~ /\.c$|^TOTAL/ { sub(/.*\//, "", $1); printf "%-28s %6d %6d %8s\n", $1, $8, $9, $10 }' |
			tee "$build/fuzz/profile/$target.txt"
		percent=$(awk '$1 == "TOTAL" { print int($4) }' "$build/fuzz/profile/$target.txt")
		echo "$(cat "$build/fuzz/profile/$target.runs"), ${percent:-0} % of its lines"
		if [ "${percent:-0}" -lt "$(least "$target")" ]; then
			echo "fuzz: $target runs ${percent:-0} % of the lines that it is there for, $(least "$target") % are expected" >&2
			short=1
		fi
	done
	return "$short"
}

night() { # SECONDS TARGET...
	local seconds=$1 target found=0
	shift
	for target in "$@"; do
		mkdir -p "$build/corpus/$target"
		echo "fuzz: $target for $seconds s"
		# Every core has a process, and they share what they find.
		if ! (cd "$build/corpus" && fuzz "$target" "$build/corpus/$target" "$committed/$target" -- \
			-max_total_time="$seconds" -max_len=4096 -fork="$(nproc)" -ignore_crashes=0 2>&1 | quietly | tail -n 3); then
			found=1
		fi
	done
	if [ "$found" = 1 ]; then
		die "finds are in $build/finds"
	fi
	echo "fuzz: nothing found"
}

keep() {
	local target fresh
	for target in "${targets[@]}"; do
		fresh=$(mktemp -d)
		mkdir -p "$build/corpus/$target" "$committed/$target"
		fuzz "$target" "$fresh" "$committed/$target" "$build/corpus/$target" -- \
			-set_cover_merge=1 -max_len=700 2>&1 | grep -a 'new files' || true
		rm -rf "${committed:?}/$target"
		mv "$fresh" "$committed/$target"
		chmod 755 "$committed/$target"
		echo "$target: $(find "$committed/$target" -type f | wc -l) files, $(du -bs "$committed/$target" | cut -f1) bytes"
	done
}

case ${1:-all} in
run | planted)
	if [ $# != 3 ] || ! is_target "$2"; then
		die "usage: scripts/fuzz.sh $1 TARGET ..., one of ${targets[*]}"
	fi
	"$@"
	;;
coverage | keep) "$1" ;;
all) night "${2:-3600}" "${targets[@]}" ;;
*)
	is_target "$1" || die "no target is called $1; there are ${targets[*]}"
	night "${2:-3600}" "$1"
	;;
esac
