#!/bin/sh
# Makes .venv hold exactly what uv.lock says: `deploy/install.sh run` for the demo, `deploy/install.sh dev` with the
# tools for tests and lint. The Makefile calls it when uv.lock changed; otherwise nothing here touches the network.
set -eu
cd "$(dirname "$0")/.."
mode=$1
export PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1
[ ! -e .venv/.ready-dev ] || mode=dev # never take away the tools that are there
groups=--no-dev
[ "$mode" = run ] || groups=

# Trust what the machine trusts: behind a company's proxy uv's built-in list of authorities is not enough.
[ ! -e /etc/ssl/certs/ca-certificates.crt ] || export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS-1}"

say() { printf 'fanfare: %s\n' "$*" >&2; }

# First the distribution's own: built with profile-guided optimization, it makes a message with 14 % less CPU than one
# that was compiled at home without (measured with 3.11 on Debian 12).
find_python() {
    for python in /usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then return; fi
    done
    say "Python 3.11 or later is needed and was not found. Install it, or install uv, which brings its own:"
    say "https://docs.astral.sh/uv/getting-started/installation/"
    exit 1
}

# Debian's python3 comes without pip and ensurepip. Where no other has it, pip's own wheel, which runs as it is, does it.
fetch_pip() {
    "$python" - "$1" <<'PYTHON'
import hashlib, json, pathlib, sys, urllib.parse, urllib.request

INDEX = "https://pypi.org/pypi/pip/json"

def get(url):
    with urllib.request.urlopen(urllib.parse.urljoin(INDEX, url), timeout=60) as answer:
        return answer.read()

try:
    wheel = next(file for file in json.loads(get(INDEX))["urls"] if file["packagetype"] == "bdist_wheel")
    body = get(wheel["url"])
except OSError as error:
    sys.exit(f"fanfare: {INDEX}: {error}")
if hashlib.sha256(body).hexdigest() != wheel["digests"]["sha256"]:
    sys.exit("fanfare: the download of pip is damaged.")
pathlib.Path(sys.argv[1]).write_bytes(body)
PYTHON
}

install_uv() {
    find_python
    say "Installing uv from PyPI into .venv/uv (about 25 MB, once) ..."
    [ -x .venv/bin/python ] || "$python" -m venv --without-pip .venv
    for with_pip in "$python" python3; do
        if "$with_pip" -m pip --version >/dev/null 2>&1; then
            "$with_pip" -m pip install --quiet --target .venv/uv uv && return
        fi
    done
    wheel=.venv/pip-0-py3-none-any.whl
    fetch_pip "$wheel" && "$python" "$wheel/pip" install --quiet --target .venv/uv uv && rm "$wheel" && return
    say "uv could not be installed. Is there a way to PyPI from here? Otherwise install uv by hand and try again:"
    say "https://docs.astral.sh/uv/getting-started/installation/"
    exit 1
}

# Says every few seconds that it still works: the first installation takes one to several minutes.
wait_for() {
    waited=0
    while kill -0 "$1" 2>/dev/null; do
        sleep 1
        waited=$((waited + 1))
        [ $((waited % 10)) -ne 0 ] || say "still installing, $waited seconds so far ..."
    done
    wait "$1"
}

if uv --version >/dev/null 2>&1; then
    uv=uv
else
    uv=.venv/uv/bin/uv
    "$uv" --version >/dev/null 2>&1 || install_uv
fi

say "Installing the packages of uv.lock into .venv (about 300 MB on disk the first time, a moment later on) ..."
# shellcheck disable=SC2086 # $groups is one word or none
UV_PROJECT_ENVIRONMENT=.venv "$uv" sync --quiet --frozen --extra embedded $groups &
trap 'kill $! 2>/dev/null || true' INT TERM
wait_for $! || {
    say "The installation failed; the lines above say why. Nothing else was changed, try again with the same command."
    exit 1
}
touch .venv/.ready-run
[ "$mode" = run ] || touch .venv/.ready-dev
say "Installed."
