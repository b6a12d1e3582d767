# Sourced by scripts/install. What the tests of deploy/k8s need below .local/kubernetes: the types of Kubernetes' API
# from npm, and kubectl where neither the machine nor Debian has one that is new enough. Versions and sums are in
# scripts/npm. Uses: $root (the checkout), as_root (runs a command as root).

kubernetes="$root/.local/kubernetes"
# The first whose kubectl has kustomize 5, and Debian's that does.
least_kubectl=1.27

has_kubectl() {
  PATH="$kubernetes/bin:$PATH" kubectl version --client 2> /dev/null |
    grep -Eq '^Kustomize Version: v([5-9]|[1-9][0-9]+)\.'
}

missing_kubernetes() {
  has_kubectl || echo kubectl
  cmp -s "$root/scripts/npm/package-lock.json" "$kubernetes/npm/package-lock.json" || echo kubernetes-types
}

debian_kubectl() {
  apt-cache policy kubernetes-client | sed -n 's/^ *Candidate: \([0-9].*\)$/\1/p'
}

# npm_packages DIRECTORY [OPTION…]: what scripts/npm names, in DIRECTORY/node_modules.
npm_packages() {
  local directory="$1"
  shift
  command -v npm > /dev/null || as_root bash "$root/scripts/lib/apt_install.sh" nodejs npm
  rm -rf "$directory"
  mkdir -p "$directory"
  cp "$root"/scripts/npm/{package.json,package-lock.json,.npmrc} "$directory/"
  (cd "$directory" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error "$@")
}

# A program of npm is for the processor that it was built for; Debian's are for all.
install_kubectl() {
  local version
  version="$(debian_kubectl)"
  if [[ -n "$version" ]] && dpkg --compare-versions "$version" ge "$least_kubectl"; then
    as_root bash "$root/scripts/lib/apt_install.sh" kubernetes-client
  else
    if [[ "$(dpkg --print-architecture)" != amd64 ]]; then
      echo "install: put a kubectl $least_kubectl or newer on the path, Debian's is older: '$version'" >&2
      return 1
    fi
    npm_packages "$kubernetes/new"
    mkdir -p "$kubernetes/bin"
    python3 - "$kubernetes"/new/node_modules/@aws-cdk/*/lib/layer.zip "$kubernetes/bin/kubectl" << 'END'
import pathlib, sys, zipfile
program = pathlib.Path(sys.argv[2])
program.write_bytes(zipfile.ZipFile(sys.argv[1]).read("kubectl/kubectl"))
program.chmod(0o755)
END
    rm -rf "$kubernetes/new"
  fi
  PATH="$kubernetes/bin:$PATH" kubectl version --client
}

# Renamed when it is complete.
install_types() {
  npm_packages "$kubernetes/new" --omit=optional
  rm -rf "$kubernetes/npm"
  mv "$kubernetes/new" "$kubernetes/npm"
}

install_kubernetes() {
  local name
  for name in "$@"; do
    echo "install: $name, for the tests of deploy/k8s"
    case "$name" in
      kubectl) install_kubectl ;;
      kubernetes-types) install_types ;;
    esac
  done
}
