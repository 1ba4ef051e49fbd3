# What several scripts have in common; source it from the top of the repository.

# A checkout owned by another user (a container's mount) is still our repository.
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'

# listed_files PATTERN...: tracked and new files that git does not ignore, each ended by a NUL.
listed_files() {
  git ls-files -z --cached --others --exclude-standard --deduplicate -- "$@" |
    while IFS= read -r -d '' file; do
      # A deleted file is listed until its deletion is committed.
      if [[ -f "$file" ]]; then printf '%s\0' "$file"; fi
    done
}

cpp_files() { listed_files '*.cpp' '*.hpp'; }

# move_aside DIRECTORY: gives an older run the name of its day, so that a new one can have its place.
move_aside() {
  local out="$1" aside base number=2
  if [[ ! -e "$out" ]]; then return 0; fi
  base="$out-$(date -u -r "$out" +%Y%m%dT%H%M%SZ)"
  aside="$base"
  while [[ -e "$aside" ]]; do
    aside="$base-$number"
    number=$((number + 1))
  done
  mv "$out" "$aside"
  echo "the older run is now $aside"
}

# in_minutes SECONDS: "1.5 min"
in_minutes() { awk -v seconds="$1" 'BEGIN { printf "%.1f min", seconds / 60 }'; }

# seconds_since EPOCHREALTIME: how long ago that was.
seconds_since() { awk -v then="$1" -v now="$EPOCHREALTIME" 'BEGIN { printf "%.1f", now - then }'; }
