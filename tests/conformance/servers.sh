#!/usr/bin/env bash
# tests/conformance/servers.sh up|down PROGRAM FILE REQUIRED: the real servers of the tests, by `PROGRAM testbed`.
# `up` ends what an earlier run has left, starts all systems of REQUIRED (joined by commas) and whatever else is
# there, and writes their tables to FILE. `down` fails if one of REQUIRED does not run any more. Their state lies beside FILE, apart from the user's own testbed.
set -euo pipefail

step="$1" program="$2" file="$3" required="$4"
mkdir -p "$(dirname "$file")"
folder="$(cd "$(dirname "$file")" && pwd)"
export XDG_STATE_HOME="$folder/state"

case "$step" in
  up)
    rm -f "$file"
    "$program" testbed down
    # Without names: what is missing here is said, and is a fault only where it is required.
    "$program" testbed up || echo "servers: not all servers could be started"
    if [[ -n "$required" ]]; then
      IFS=, read -r -a systems <<<"$required"
      "$program" testbed env "${systems[@]}" >/dev/null
    fi
    "$program" testbed env >"$file.new" || [[ -z "$required" ]]
    mv "$file.new" "$file"
    ;;
  down)
    # A server that ended under the tests explains why they failed.
    outcome=0
    if [[ -e "$file" && -n "$required" ]]; then
      IFS=, read -r -a systems <<<"$required"
      for system in "${systems[@]}"; do
        "$program" testbed env "$system" >/dev/null && continue
        outcome=1
        echo "servers: $system has ended by itself; its last words:"
        tail -n 8 "$XDG_STATE_HOME/deduplab/testbed/$system/server.log" || true
      done
    fi
    rm -f "$file"
    "$program" testbed down
    exit "$outcome"
    ;;
  *)
    echo "usage: servers.sh up|down PROGRAM FILE REQUIRED" >&2
    exit 2
    ;;
esac
