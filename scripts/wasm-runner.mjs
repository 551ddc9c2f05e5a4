#!/usr/bin/env -S node --no-warnings
// Runs a test binary that was built for wasm32-wasip1: cargo calls this with the file and the test's own arguments.
// Hostcalls of Envoy, which tests never make, are stubs.
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { WASI } from "node:wasi";

// Relaxed SIMD, which Envoy's V8 always has, needs a word in V8 older than 11.4.
if (Number.parseInt(process.versions.node, 10) < 21) setFlagsFromString("--experimental-wasm-relaxed-simd");
const [file, ...args] = process.argv.slice(2);
const wasi = new WASI({ version: "preview1", args: [file, ...args], env: process.env, preopens: { "/": "/", ".": "." }, returnOnExit: true });
const module = await WebAssembly.compile(readFileSync(file));
const imports = { wasi_snapshot_preview1: wasi.wasiImport };
for (const { module: from, name } of WebAssembly.Module.imports(module)) {
  imports[from] ??= {};
  imports[from][name] ??= () => 0;
}
const { exports } = await WebAssembly.instantiate(module, imports);
// The filter's start of a module without a main, `_initialize`, stands beside the test's main: node wants to see only one.
process.exitCode = wasi.start({ exports: { memory: exports.memory, _start: exports._start } });
