# What the labs share. Sourced by `directory` and `kube`, which set $dir to their folder; not a command.
set -euo pipefail
export LC_ALL=C.UTF-8
umask 077

lab=$(basename "$0")
fail() { echo "$lab: $*" >&2; exit 1; }

# --- Debian's packages -------------------------------------------------------------------------------------------------

need() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  [ "$(id -u)" = 0 ] || fail "not installed, and only root may install: ${missing[*]}"
  # One lab at a time, since the file below is for all of them.
  exec 6>"${TMPDIR:-/tmp}/daypass-packages.lock"
  flock 6
  # A package that brings a service would start it: this asks it not to.
  local ours=''
  [ -e /usr/sbin/policy-rc.d ] || { ours=1; install -m 755 /dev/stdin /usr/sbin/policy-rc.d <<<$'#!/bin/sh\nexit 101'; }
  local result=0
  install_them "${missing[@]}" || { apt-get -qq update && install_them "${missing[@]}"; } || result=1
  [ -z "$ours" ] || rm -f /usr/sbin/policy-rc.d
  exec 6>&-
  [ $result = 0 ] || fail "apt-get could not install ${missing[*]}"
}
install_them() (
  umask 022
  DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 --no-install-recommends install "$@" >&2
)

# --- processes, each known by NAME: DIR/NAME.pid and DIR/NAME.log ------------------------------------------------------

# The process that we noted, as long as it is still the one: it began at the same tick. (Samba rewrites its command line.)
server_pid() { # NAME
  local pid began
  [ -e "$dir/$1.pid" ] && read -r pid began <"$dir/$1.pid" || return 1
  [ "$(beginning "$pid")" = "$began" ] && echo "$pid"
}
beginning() { # of process PID; nothing when there is none
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  [ "$1" = Z ] || echo "${20}"
}

# start NAME COMMAND...: in the background.
start() {
  local name=$1
  shift
  setsid "$@" </dev/null >>"$dir/$name.log" 2>&1 9>&- &
  echo "$! $(beginning $!)" >"$dir/$name.pid"
}

# ready NAME SECONDS COMMAND...: waits until the command succeeds; fails when time is up, or when the process has ended.
ready() {
  local name=$1 until=$((SECONDS + $2))
  shift 2
  until "$@" >/dev/null 2>&1; do
    server_pid "$name" >/dev/null || return 1
    [ $SECONDS -lt $until ] || return 1
    sleep 0.1
  done
}

end() { # NAME
  local pid _
  pid=$(server_pid "$1") || return 0
  kill "$pid"
  for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || return 0; sleep 0.1; done
  ! kill -0 "$pid" 2>/dev/null || kill -9 "$pid"
}

listens() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; } # ADDRESS PORT

free_port() {
  local port _
  for _ in $(seq 200); do
    port=$((21000 + RANDOM % 9000))
    listens 127.0.0.1 $port || { echo $port; return; }
  done
  fail "no free port"
}

# --- the folder --------------------------------------------------------------------------------------------------------

# open_folder DIR KIND: makes it, lets one command at a time work in it, and touches none that holds something else.
open_folder() {
  [[ $1 =~ ^[A-Za-z0-9/._+@-]+$ ]] || fail "the name of the folder has characters that a configuration file could misread"
  dir=$(realpath -m "$1")
  mkdir -p "$dir"
  if [ ! -e "$dir/.lab" ]; then
    [ -z "$(ls -A "$dir")" ] || fail "$dir holds something else"
    echo "$2" >"$dir/.lab"
  fi
  [ "$(cat "$dir/.lab")" = "$2" ] || fail "$dir is of another kind"
  exec 9>"$dir/.lock"
  flock -w 180 9 || fail "somebody else is busy in $dir"
}
is_lab() { [ -e "$1/.lab" ]; }
empty_folder() { find "$dir" -mindepth 1 -maxdepth 1 ! -name '*.log' ! -name .lab ! -name .lock -exec rm -rf {} +; }
