#!/bin/sh
# Gives the browser tests a Chromium where that is possible: as root, on a system with apt-get.
set -eu
for command in ${CHROMIUM:-} chromium chromium-browser google-chrome-stable google-chrome; do
    if command -v "$command" >/dev/null; then exit 0; fi
done
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "There is no Chromium here, and only root can install it: the browser tests will not run." >&2
    exit 0
fi
echo "Installing Chromium for the browser tests (about 300 MB, once) ..." >&2
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } >/tmp/fanfare-apt.$$ 2>&1; then
    tail -5 /tmp/fanfare-apt.$$ >&2
    echo "Chromium could not be installed: the browser tests will not run." >&2
fi
rm -f /tmp/fanfare-apt.$$
