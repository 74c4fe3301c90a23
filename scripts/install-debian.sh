#!/usr/bin/env bash
# Installs Debian packages by name, where it may: as root, on a system with apt-get. Says why not on standard error.
set -uo pipefail

if [ "$(id -u)" -ne 0 ]; then
  echo "only root can install $*" >&2
  exit 1
fi
if ! command -v apt-get >/dev/null; then
  echo "there is no apt-get to install $* with" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
timeout 300 apt-get update -qq >/dev/null 2>&1
if ! timeout 300 apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends "$@" >/dev/null 2>&1; then
  echo "apt-get could not install $*" >&2
  exit 1
fi
