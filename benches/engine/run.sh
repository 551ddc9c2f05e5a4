#!/usr/bin/env bash
# Builds the bench for V8 and native, and runs it. Needs Node 20 or newer.
set -euo pipefail
cd "$(dirname "$0")"
target="${CARGO_TARGET_DIR:-../../target}"
[[ $target = /* ]] || target="$PWD/$target"
major="$(node --version | sed 's/^v\([0-9]*\).*/\1/')"
if (( major < 20 )); then
  echo "node $major is too old: 20 or newer is needed" >&2
  exit 1
fi
export CARGO_TARGET_DIR="$target/bench-engine"
# From this folder cargo reads ../../.cargo/config.toml, which switches simd128 and relaxed-simd on.
cargo build --quiet --release --lib --target wasm32-wasip1
cargo build --quiet --release --bin native
# Optimised code from the first call on: on a busy machine V8 may still run its quick first draft when the measuring begins.
flags=(--no-liftoff)
# Relaxed SIMD, which Envoy's V8 always has, needs a word in V8 older than 11.4.
(( major > 20 )) || flags+=(--experimental-wasm-relaxed-simd)
exec node --no-warnings "${flags[@]}" bench.mjs "$CARGO_TARGET_DIR/wasm32-wasip1/release/bodyguard_bench_engine.wasm" \
  "$CARGO_TARGET_DIR/release/native" "$@"
