# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced by test.sh and demo.sh: installs what is missing on Debian and its derivatives.

say() {
  printf '\n== %s\n' "$*"
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}

# The packages of packages.txt that are missing.
install_packages() {
  local package missing=()
  while read -r package; do
    dpkg-query --show --showformat='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
      missing+=("$package")
  done < tools/packages.txt
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}

# make_venv DIRECTORY PIP-ARGUMENT...: a Python environment. Fails where none can be made.
make_venv() {
  local venv=$1
  shift
  [ "$(cat "$venv/contents" 2>/dev/null)" != "$*" ] || return 0
  say "preparing Python with: $*"
  python3 -m venv "$venv" &&
    "$venv/bin/pip" install --quiet --disable-pip-version-check "$@" &&
    echo "$*" > "$venv/contents"
}

# describe_arrow DIRECTORY: tells pkg-config of the Arrow library that came with NDSHM_PYTHON's pyarrow.
describe_arrow() {
  local directory=$1 wheel
  wheel=$("$NDSHM_PYTHON" -c 'import pathlib, pyarrow; print(pathlib.Path(pyarrow.__file__).parent)')
  mkdir -p "$directory"
  ln -sf "$(ls "$wheel"/libarrow.so.*)" "$directory/libarrow.so"
  {
    echo "Name: Apache Arrow"
    echo "Description: the library in the wheel of pyarrow"
    echo "Version: $("$NDSHM_PYTHON" -c 'import pyarrow; print(pyarrow.__version__)')"
    echo "Cflags: -I$wheel/include"
    echo "Libs: -L$PWD/$directory -larrow -Wl,-rpath,$wheel"
  } > "$directory/arrow.pc"
}

# configure DIRECTORY MESON-OPTION...: a new build directory, or an old one brought up to date.
configure() {
  local directory=$1
  shift
  if [ -e "$directory/build.ninja" ]; then
    meson setup --reconfigure "$directory" "$@"
  else
    meson setup "$directory" "$@"
  fi
}
