# Sourced by scripts/install. Makes nats-server, redis-server, PostgreSQL and Prometheus available without
# their service units: what the machine lacks is downloaded and unpacked below .local/servers.
# Uses: $root (the checkout), as_root (runs a command as root).

servers="$root/.local/servers"
server_path="$servers/bin:$PATH:/usr/sbin:/usr/local/sbin"

has_server() {
  PATH="$server_path" command -v "$1" > /dev/null
}

has_postgres() {
  local bin
  for bin in "$servers"/postgresql/usr/lib/postgresql/*/bin /usr/lib/postgresql/*/bin; do
    if [[ -x "$bin/postgres" && -x "$bin/initdb" && -x "$bin/psql" ]]; then return 0; fi
  done
  return 1
}

missing_servers() {
  has_server nats-server || echo nats-server
  has_server redis-server || echo redis-server
  has_postgres || echo postgresql
  { has_server prometheus && has_server promtool; } || echo prometheus
}

# unpack TARGET PACKAGE...: the packages' files below TARGET, nothing of them is configured.
unpack() {
  local target="$1" downloads
  shift
  downloads="$(mktemp -d "$servers/download.XXXXXX")"
  chmod 755 "$downloads"
  (
    cd "$downloads"
    if ! apt-get -q -o APT::Sandbox::User=root download "$@"; then
      as_root bash "$root/scripts/lib/apt_install.sh"
      apt-get -q -o APT::Sandbox::User=root download "$@"
    fi
  )
  rm -rf "$target.new"
  mkdir -p "$target.new"
  local deb
  for deb in "$downloads"/*.deb; do dpkg-deb -x "$deb" "$target.new"; done
  rm -rf "$target" "$downloads"
  mv "$target.new" "$target"
}

# Debian's redis-server is the program of redis-tools under another name.
install_redis() {
  ln -sfn /usr/bin/redis-check-rdb "$servers/bin/redis-server"
  if ! "$servers/bin/redis-server" --version > /dev/null 2>&1; then
    rm -f "$servers/bin/redis-server"
    unpack "$servers/redis" redis-server
    ln -sfn ../redis/usr/bin/redis-server "$servers/bin/redis-server"
  fi
  "$servers/bin/redis-server" --version
}

install_nats() {
  unpack "$servers/nats" nats-server
  ln -sfn ../nats/usr/sbin/nats-server "$servers/bin/nats-server"
  "$servers/bin/nats-server" --version
}

# The newest server package and its client, with the libraries of both but not their scripts that make
# clusters and services. LLVM serves only just-in-time compilation, which private clusters turn off.
install_postgres() {
  local server client libraries
  server="$(apt-cache depends postgresql | sed -n 's/.*Depends: \(postgresql-[0-9]*\)$/\1/p' | head -n 1)"
  if [[ -z "$server" ]]; then
    as_root bash "$root/scripts/lib/apt_install.sh"
    server="$(apt-cache depends postgresql | sed -n 's/.*Depends: \(postgresql-[0-9]*\)$/\1/p' | head -n 1)"
  fi
  client="postgresql-client-${server#postgresql-}"
  mapfile -t libraries < <(apt-cache depends "$server" "$client" |
    sed -n 's/^  Depends: \(lib[a-z0-9.+-]*\)$/\1/p' | grep -v '^libllvm' | sort -u)
  as_root bash "$root/scripts/lib/apt_install.sh" "${libraries[@]}" tzdata
  unpack "$servers/postgresql" "$server" "$client"
  "$servers"/postgresql/usr/lib/postgresql/*/bin/postgres --version
}

# The program and its tool; the libraries of its old pages are not needed.
install_prometheus() {
  unpack "$servers/prometheus" prometheus
  ln -sfn ../prometheus/usr/bin/prometheus "$servers/bin/prometheus"
  ln -sfn ../prometheus/usr/bin/promtool "$servers/bin/promtool"
  "$servers/bin/promtool" --version
}

install_servers() {
  mkdir -p "$servers/bin"
  local name
  for name in "$@"; do
    echo "install: $name goes to .local/servers, without a service"
    case "$name" in
      nats-server) install_nats ;;
      redis-server) install_redis ;;
      postgresql) install_postgres ;;
      prometheus) install_prometheus ;;
    esac
  done
}
