#!/usr/bin/env bash
# One case of a spec that run_spec.sh ran: shows what was said of it, and fails unless that is ok.
# Exits 77 where the spec was left out.
#
#   verdict.sh TRANSCRIPT CASE
set -euo pipefail
! grep '^SKIP: ' "$1" || exit 77
awk -v name="$2" '
	/^(not )?ok [0-9]+ - / || /^1\.\.[0-9]/ {
		shown = substr($0, length($0) - length(name) + 1) == name
		good += shown && /^ok/
	}
	/^# figure: / { held = held $0 "\n"; next } # said before the verdict of its case
	/^(not )?ok [0-9]+ - / { if (shown) printf "%s", held; held = "" }
	shown
	END { if (!good) print "verdict.sh: no such case, or it did not pass: " name; exit !good }' "$1"
