#!/bin/bash
# Health check of a service in its container: exit 0 when GET /readyz answers 200.
set -eu
exec 3<>"/dev/tcp/127.0.0.1/${1:-8080}"
printf 'GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
read -r -t 2 status <&3
case $status in *" 200 "*) exit 0 ;; *) exit 1 ;; esac
