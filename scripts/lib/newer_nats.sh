# Makes a nats-server of at least 2.10 available below .local/servers/newer-nats and prints its path
# on the last line: the machine's own, or the package of the next Debian release, which runs on this
# one as it is. The mirror is the one that apt is configured with; what apt knows stays as it is.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
target="$root/.local/servers/newer-nats"
program="$target/usr/sbin/nats-server"

is_new_enough() {
  local version
  version="$("$1" --version 2> /dev/null | sed -n 's/.*v\([0-9.]*\).*/\1/p')"
  [[ -n "$version" ]] && dpkg --compare-versions "$version" ge 2.10
}

fail() {
  echo "newer_nats: $*" >&2
  exit 1
}

next_release() {
  case "$(. /etc/os-release && echo "${VERSION_CODENAME:-}")" in
    bookworm) echo trixie ;;
    trixie) echo forky ;;
    *) fail "no Debian release is known to follow this system" ;;
  esac
}

# The address of the mirror that has this release's main part.
mirror() {
  local now
  now="$(. /etc/os-release && echo "$VERSION_CODENAME")"
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' 'Created-By: Packages' |
    awk -v now="$now" '$2 == now && $3 == "main" && $4 == "Debian" { print $1; exit }'
}

# private_apt DIRECTORY ARGUMENT...: apt-get with lists, cache and sources of its own.
private_apt() {
  local directory="$1"
  shift
  apt-get -q -o Dir::Etc::sourcelist="$directory/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferencesparts=/dev/null -o Dir::State::lists="$directory/lists" \
    -o Dir::Cache="$directory/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none \
    -o Acquire::Retries=2 "$@"
}

download() {
  local directory release address
  release="$(next_release)"
  address="$(mirror)"
  [[ -n "$address" ]] || fail "apt has no list of Debian packages: run apt-get update"
  directory="$(mktemp -d "$root/.local/servers/apt.XXXXXX")"
  trap "rm -rf '$directory'" EXIT
  mkdir -p "$directory/lists/partial" "$directory/cache/archives/partial" "$directory/deb"
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  echo "deb [signed-by=$keyring] $address $release main" > "$directory/sources.list"
  private_apt "$directory" update || fail "the mirror does not answer for $release"
  (cd "$directory/deb" && private_apt "$directory" download nats-server) ||
    fail "$release has no nats-server for this machine"
  rm -rf "$target"
  mkdir -p "$target"
  dpkg-deb -x "$directory"/deb/nats-server_*.deb "$target"
}

mkdir -p "$root/.local/servers"
for known in "$program" "$root/.local/servers/bin/nats-server" "$(command -v nats-server || true)"; do
  if [[ -x "$known" ]] && is_new_enough "$known"; then
    echo "$known"
    exit 0
  fi
done
download >&2
is_new_enough "$program" || fail "the package's nats-server does not run here, or is older than 2.10"
echo "$program"
