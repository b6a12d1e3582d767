# Run as root: installs the packages named as arguments. No service of the machine is started,
# stopped or restarted meanwhile: a policy-rc.d forbids it, which holds only while this process lives.
set -euo pipefail
policy=/usr/sbin/policy-rc.d
saved="$policy.before-martlet"

restore_policy() {
  rm -f "$policy"
  if [[ -e "$saved" ]]; then mv "$saved" "$policy"; fi
}

forbid_services() {
  if [[ -e "$policy" ]]; then mv "$policy" "$saved"; fi
  trap restore_policy EXIT
  trap 'exit 130' INT TERM HUP
  printf '#!/bin/sh\n# Only while process %s installs packages; may be deleted.\n' $$ > "$policy.new"
  printf 'kill -0 %s 2>/dev/null && exit 101\n' $$ >> "$policy.new"
  printf '[ -x %s ] && exec %s "$@"\nexit 0\n' "$saved" "$saved" >> "$policy.new"
  chmod 755 "$policy.new"
  mv "$policy.new" "$policy"
}

export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
apt_options=(-o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)

# Old lists are good enough when the mirror does not answer; the install decides.
apt-get "${apt_options[@]}" -q update || echo "install: the package lists could not be renewed" >&2
if (($# > 0)); then
  exec 9> /run/martlet-install.lock
  flock 9
  forbid_services
  apt-get "${apt_options[@]}" -q -y --no-install-recommends install "$@"
fi
