#!/usr/bin/env bash
# Makes a Debian 12 machine ready to build reco: installs the packages that are missing (as root) and fetches libtorch.
#
#   scripts/setup.sh [--tests] [--no_torch]
#     --tests     also what the test suite uses: cmocka, clang, clang-format, shellcheck
#     --no_torch  packages only
#
# The last line on stdout, and the only one, is the libtorch directory for cmake's -DLIBTORCH; talk goes to stderr.
# libtorch is unpacked once under ${RECO_CACHE:-~/.cache/reco}/torch-2.11.0, as torch/ and nvidia/; a second run downloads
# nothing. LIBTORCH=/path in the environment (a wheel's torch directory, or an official zip's) is used as it is.
# Exit status: 0 ready; 1 something is missing, and the message says what to do.
set -euo pipefail

TORCH_VERSION=2.11.0
# A library, the wheel that carries it (the versions that this torch names), and when it is needed.
CUDA_LIBRARIES="
libcudart.so.13     nvidia-cuda-runtime==13.0.96     always
libcupti.so.13      nvidia-cuda-cupti==13.0.85       always
libcusparseLt.so.0  nvidia-cusparselt-cu13==0.8.0    cuda
libnvshmem_host.so.3 nvidia-nvshmem-cu13==3.4.5      cuda
libcufile.so.0      nvidia-cufile==1.15.1.6          cuda
libcublas.so.13     nvidia-cublas==13.1.0.3          cuda
libcudnn.so.9       nvidia-cudnn-cu13==9.19.0.56     cuda
libnccl.so.2        nvidia-nccl-cu13==2.28.9         cuda
libcufft.so.12      nvidia-cufft==12.0.0.61          cuda
libcurand.so.10     nvidia-curand==10.4.0.35         cuda
libcusolver.so.12   nvidia-cusolver==12.0.4.66       cuda
libcusparse.so.12   nvidia-cusparse==12.6.3.3        cuda
libnvJitLink.so.13  nvidia-nvjitlink==13.0.88        cuda
libnvrtc.so.13      nvidia-cuda-nvrtc==13.0.88       cuda
"
PACKAGES="gcc g++ make cmake ninja-build pkg-config python3 python3-pip ca-certificates
libcsv-dev libjansson-dev libyaml-dev zlib1g-dev libzstd-dev libxxhash-dev libutf8proc-dev libsqlite3-dev
libprotobuf-c-dev protobuf-c-compiler"
TEST_PACKAGES="libcmocka-dev clang clang-format-14 shellcheck"

say() { printf 'setup: %s\n' "$*" >&2; }
die() {
  printf 'setup: error: %s\n' "$*" >&2
  exit 1
}

with_torch=1
for argument in "$@"; do
  case "${argument//-/_}" in
    __tests) PACKAGES="$PACKAGES $TEST_PACKAGES" ;;
    __no_torch) with_torch=0 ;;
    __help)
      sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
      exit 0
      ;;
    *) die "unknown option '$argument'; see $0 --help" ;;
  esac
done

# Packages ------------------------------------------------------------------------------------------------------------
install_packages() {
  local missing=() package
  if ! command -v dpkg-query >/dev/null; then
    say "this is not a Debian system; building needs the equivalents of: ${PACKAGES//$'\n'/ }"
    return
  fi
  for package in $PACKAGES; do
    case "$package" in # a compiler, cmake or Python from elsewhere will do
      gcc | g++ | make | cmake | python3 | shellcheck) command -v "$package" >/dev/null && continue ;;
      ninja-build) command -v ninja >/dev/null && continue ;;
      clang) command -v clang >/dev/null && continue ;;
      clang-format-14) command -v clang-format-14 >/dev/null && continue ;;
      python3-pip) python3 -m pip --version >/dev/null 2>&1 && continue ;;
    esac
    if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
      missing+=("$package")
    fi
  done
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" -ne 0 ]; then
    die "packages are missing and only root can install them; ask for: apt-get install ${missing[*]}"
  fi
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q >&2 || die "apt-get update failed; it is needed to install: ${missing[*]}"
  apt-get install -y -q --no-install-recommends "${missing[@]}" >&2 || die "apt-get could not install: ${missing[*]}"
}

# libtorch ------------------------------------------------------------------------------------------------------------
system_library() { [[ $(ldconfig -p 2>/dev/null) == *"$1 "* ]]; }

have_library() { # have_library SONAME: in a toolkit or the system
  local file
  for file in "${CUDA_HOME:-/usr/local/cuda}"/{lib64,lib,extras/CUPTI/lib64,targets/*/lib}/"$1"; do
    [ -e "$file" ] && return 0
  done
  system_library "$1"
}

have_cuda() { # a toolkit to build with, or a driver to run on
  command -v nvcc >/dev/null || [ -x "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc" ] || system_library libcuda.so.1
}

fetch_wheel() { # fetch_wheel REQUIREMENT DIRECTORY PREFIX...: unpacks the members under the prefixes into DIRECTORY
  local requirement=$1 directory=$2 machine wheels glibc platforms=()
  shift 2
  machine=$(uname -m)
  wheels=$directory/wheels
  say "downloading $requirement"
  mkdir -p "$wheels"
  # Fixed tags, whatever Python runs pip: only the C++ half of the wheel is used.
  for glibc in {28..5}; do platforms+=(--platform "manylinux_2_${glibc}_$machine"); done
  for glibc in 2014 2010 1; do platforms+=(--platform "manylinux${glibc}_$machine"); done
  TMPDIR=$wheels python3 -m pip download -q --no-deps --no-cache-dir --dest "$wheels" --only-binary=:all: \
    --python-version 3.11 --implementation cp --abi cp311 --abi abi3 --abi none \
    "${platforms[@]}" "$requirement" >&2 || die "pip could not download $requirement; or set LIBTORCH=/path to a libtorch you have"
  python3 - "$wheels" "$directory" "$@" <<'PY' || die "cannot unpack $requirement (is the disk full?)"
import pathlib, shutil, sys, zipfile
wheels, directory, prefixes = pathlib.Path(sys.argv[1]), sys.argv[2], tuple(sys.argv[3:])
for wheel in wheels.glob("*.whl"):
    with zipfile.ZipFile(wheel) as z:
        z.extractall(directory, [n for n in z.namelist() if n.startswith(prefixes)])
shutil.rmtree(wheels)
PY
}

get_torch() {
  local home cache soname wheel when
  if [ -n "${LIBTORCH:-}" ]; then
    if [ ! -e "$LIBTORCH/lib/libtorch_cpu.so" ] || [ ! -d "$LIBTORCH/include/ATen" ]; then
      die "LIBTORCH=$LIBTORCH is no libtorch: it has no lib/libtorch_cpu.so or no include/ATen"
    fi
    LIBTORCH=$(cd "$LIBTORCH" && pwd)
    return
  fi
  cache=${RECO_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/reco}
  mkdir -p "$cache" || die "cannot make the cache directory '$cache'; set RECO_CACHE to one that can be written"
  cache=$(cd "$cache" && pwd)
  home=$cache/torch-$TORCH_VERSION
  exec 9>"$cache/lock"
  flock 9 # two set-ups at once: the second waits, then finds everything there
  rm -rf "$cache"/staging.*
  staging=$(mktemp -d "$cache/staging.XXXXXX")
  trap 'rm -rf "$staging"' EXIT
  if [ ! -e "$home/torch/lib/libtorch_cpu.so" ]; then
    fetch_wheel "torch==$TORCH_VERSION" "$staging" torch/include/ torch/lib/ torch/version.py "torch-$TORCH_VERSION.dist-info/"
    rm -rf "$home"
    mv "$staging" "$home"
    mkdir "$staging"
    chmod 755 "$home"
  fi
  while read -r soname wheel when; do
    [ -n "$soname" ] || continue
    [ "$when" = always ] || have_cuda || continue
    { [ -e "$home/nvidia/$wheel" ] || have_library "$soname"; } && continue
    fetch_wheel "$wheel" "$staging" nvidia/
    cp -al "$staging/nvidia" "$home/"
    rm -rf "$staging/nvidia"
    touch "$home/nvidia/$wheel" # the mark that all of it is there
  done <<<"$CUDA_LIBRARIES"
  LIBTORCH=$home/torch
}

install_packages
if [ $with_torch = 1 ]; then
  get_torch
  say "libtorch is $LIBTORCH"
  printf '%s\n' "$LIBTORCH"
fi
