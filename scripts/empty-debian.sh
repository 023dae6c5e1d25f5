# shellcheck shell=bash
# To be sourced: makes otherwise empty Debians 12 in folders, and runs commands in them. Needs root
# and mmdebstrap (setup.sh check). Everything lies in $work, and what all of them see as /srv/shared
# in $shared; both go with the shell that sourced this. Processes end with the command that started
# them.
[ "$(id -u)" = 0 ] || { echo "${0##*/}: chroot and mounts need root" >&2; exit 1; }
work=$(mktemp -d "${TMPDIR:-/var/tmp}/empty-debian.XXXXXX")
shared=$(mktemp -d /dev/shm/empty-debian.XXXXXX) # in memory: systemd tidies up a /run there alone
chmod 755 "$shared"
booted=
trap 'debian_halt; rm -rf --one-file-system "$work" "$shared"' EXIT # what was mounted went with its namespace
trap 'exit 130' INT TERM

# Debian's packages come the way this machine gets them: its own sources, its own apt settings.
debian_sources() {
	# shellcheck disable=SC2016 # apt's fields, not the shell's
	apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' 'Origin: Debian' | grep ' bookworm' | sort -u
}
debian_settings() { apt-config dump | grep -E '^Acquire::(http|https|Check|Retries|Queue)' || true; }

debian_make() { # ROOT [PACKAGE,...]: an empty Debian with these packages
	debian_sources >"$work/sources"
	debian_settings >"$work/settings"
	# They are gone in minutes: dpkg need not wait for the disk.
	mmdebstrap --quiet --variant=minbase ${2:+"--include=$2"} --aptopt="$work/settings" \
		--dpkgopt=force-unsafe-io bookworm "$1" - <"$work/sources"
	cp -L /etc/resolv.conf /etc/hosts "$1/etc"
	# What this machine trusts, as the network that it is in may need it.
	[ ! -d "$1/etc/ssl/certs" ] || cp -L /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs"
	mkdir "$1/srv/shared"
}

# ROOT COMMANDS: in that Debian, in a process and mount namespace that end with them.
debian_run() {
	# shellcheck disable=SC2016 # $0 to $2 are the inner shell's
	unshare --mount --pid --fork --kill-child bash -euc '
		mount --bind "$0" "$0"
		mount -t proc proc "$0/proc"
		mount --rbind /dev "$0/dev"
		mount --rbind /sys "$0/sys"
		mount -t tmpfs tmpfs "$0/run"
		mount --bind "$2" "$0/srv/shared"
		exec chroot "$0" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin CI="${CI:-}" \
			http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" DEBIAN_FRONTEND=noninteractive \
			bash -euc "$1"' "$1" "$2" "$shared" </dev/null
}

# ROOT: starts its systemd, which runs in the background until debian_halt, in a control group of its
# own. Its /run is $shared/run; of this machine it shares the network and sees /proc/sys only.
debian_boot() {
	groups=/sys/fs/cgroup
	[ ! -d $groups/systemd ] || groups+=/systemd
	groups+=/${work##*/}
	mkdir "$groups" "$shared/run"
	(
		echo "$BASHPID" >"$groups/cgroup.procs"
		# shellcheck disable=SC2016 # $0 to $2 are the inner shell's
		exec unshare --mount --pid --fork --kill-child --uts --ipc --cgroup bash -euc '
			mount --bind "$0" "$0"
			mount -t proc proc "$0/proc"
			mount -o bind,ro "$0/proc/sys" "$0/proc/sys"
			mount -t tmpfs -o mode=755 tmpfs "$0/dev"
			for device in null zero full random urandom tty; do
				: >"$0/dev/$device"
				mount --bind "/dev/$device" "$0/dev/$device"
			done
			mkdir "$0/dev/shm"
			mount -t tmpfs tmpfs "$0/dev/shm"
			mount --bind "$1/run" "$0/run"
			mount --bind "$1" "$0/srv/shared"
			mount -t sysfs -o ro sysfs "$0/sys"
			if [ -d /sys/fs/cgroup/systemd ]; then
				mount -t tmpfs tmpfs "$0/sys/fs/cgroup"
				mkdir "$0/sys/fs/cgroup/systemd"
				mount -t cgroup -o none,name=systemd cgroup "$0/sys/fs/cgroup/systemd"
			else
				mount -t cgroup2 cgroup2 "$0/sys/fs/cgroup"
			fi
			exec chroot "$0" /usr/bin/env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
				/lib/systemd/systemd --unit=multi-user.target' "$1" "$shared"
	) >"$work/boot.log" 2>&1 </dev/null &
	booted=$!
	for _ in $(seq 300); do
		# shellcheck disable=SC2016 # for the Debian's shell
		debian_enter '[ "$(cat /proc/1/comm)" = systemd ] && [ -S /run/systemd/private ]' 2>/dev/null && break
		kill -0 "$booted" 2>/dev/null || break
		sleep 0.1
	done
	debian_enter 'systemctl is-system-running --wait' >/dev/null ||
		{ cat "$work/boot.log" >&2; debian_enter 'systemctl --no-pager --failed' >&2; return 1; }
}
debian_init() { cat "/proc/$booted/task/$booted/children" 2>/dev/null; } # process of systemd, seen from here

debian_enter() { # COMMANDS: in the Debian that was booted
	local init
	init=$(debian_init)
	nsenter --target "${init% }" --mount --pid --uts --ipc --cgroup --root --wd \
		/usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
		bash -euc "$1" </dev/null
}

debian_halt() { # as pressing the power button does; after 20 seconds as pulling the plug does
	local init
	[ -n "$booted" ] || return 0
	init=$(debian_init)
	[ -z "$init" ] || kill -s RTMIN+4 "${init% }" 2>/dev/null || true
	for _ in $(seq 200); do
		kill -0 "$booted" 2>/dev/null || break
		sleep 0.1
	done
	kill -KILL "$booted" 2>/dev/null || true
	wait "$booted" 2>/dev/null || true
	booted=
	find "$groups" -depth -type d -exec rmdir {} +
}

received() { # bytes, on the interface of the default route
	local card
	card=$(awk '$2 == "00000000" { print $1; exit }' /proc/net/route)
	cat "/sys/class/net/$card/statistics/rx_bytes" 2>/dev/null || echo 0
}
