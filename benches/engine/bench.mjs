// make bench: the engine in V8 and native, beside memcpy and two ways of doing the same with regexes.
//
//     node bench.mjs MODULE.wasm NATIVE [--quick]
//
// Every cell is the median of many short runs; all cells of a row are measured one after the other, and the counts of findings
// must be those that the generator put in. Exits with 1 if one is not.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { WASI } from "node:wasi";

const [modulePath, nativePath, ...flags] = process.argv.slice(2);
const quick = flags.includes("--quick");
const RUN_NANOSECONDS = 2e6;
const WARM_MILLISECONDS = { first: 1000, later: 100 };
const RUNS = quick ? 15 : 25;
const KIB = 1024;
const SIZES = quick ? [256 * KIB] : [KIB, 16 * KIB, 256 * KIB, 8 * KIB * KIB];
const CORPORA = ["json", "html", "dense"];
const ENGINES = ["memcpy", "bodyguard", "bodyguard in 16 KB chunks", "bodyguard, secrets only", "RegexSet + find_iter", "one lazy DFA (meta)",
  "bodyguard, 50 own kinds", "bodyguard, all kinds", "bodyguard, all and 50 own", "bodyguard, group:pii-us", "bodyguard, group:secrets"];
const BODYGUARD = 1;
const OWN = 6;
const ALL = 7;
const ALL_AND_OWN = 8;
// What must be found is known of the ten kinds alone.
const COUNTED = new Set([1, 2, 4, 5, 6]);
const ADVERSARIAL = ["digits", "cards", "grouped", "ssns", "ats", "a-at-a", "locals", "dots", "labels", "begins", "keys", "eyj", "eyj-dots",
  "backslashes", "percents", "escapes", "escaped-ats", "far-escapes", "escaped-keys", "dates", "nines", "thirteens", "separated", "near-words",
  "near-numbers", "escaped-words", "schemes", "prefixes", "runs"];

const module = await WebAssembly.compile(readFileSync(modulePath));
const wasi = new WASI({ version: "preview1" });
const imports = { wasi_snapshot_preview1: wasi.wasiImport };
for (const { module: from, name } of WebAssembly.Module.imports(module)) {
  // The hostcalls of the filter, which the bench never makes.
  imports[from] ??= {};
  imports[from][name] ??= () => 0;
}
const wasm = (await WebAssembly.instantiate(module, imports)).exports;
wasi.initialize({ exports: { memory: wasm.memory } });

function make(name, size) {
  const bytes = new TextEncoder().encode(name);
  const at = wasm.bench_name(bytes.length);
  new Uint8Array(wasm.memory.buffer, at, bytes.length).set(bytes);
  return wasm.bench_make(size);
}

const warmed = new Set();
function measureWasm(engine, runs) {
  let found = 0;
  // CPU time, so that other programs on the machine disturb less.
  const pass = (times) => {
    const start = process.cpuUsage();
    found = wasm.bench_run(engine, times);
    const { user, system } = process.cpuUsage(start);
    return (user + system) * 1000;
  };
  // Caches and the branch predictor, and a V8 that was not told to optimise at once.
  for (const end = Date.now() + (warmed.has(engine) ? WARM_MILLISECONDS.later : WARM_MILLISECONDS.first); Date.now() < end;) pass(1);
  warmed.add(engine);
  let times = 1;
  while (pass(times) < RUN_NANOSECONDS) times *= 2;
  const samples = Array.from({ length: runs }, () => pass(times) / times).sort((a, b) => a - b);
  return { found, nanoseconds: samples[runs >> 1] };
}

const native = spawn(nativePath, { stdio: ["pipe", "pipe", "inherit"] });
const answers = createInterface({ input: native.stdout })[Symbol.asyncIterator]();
async function measureNative(engine, runs, size, name) {
  native.stdin.write(`${engine} ${runs} ${size} ${name}\n`);
  const [found, nanoseconds] = (await answers.next()).value.split(" ").map(Number);
  return { found, nanoseconds };
}

let failed = false;
function check(what, found, expected) {
  if (found === expected) return;
  failed = true;
  console.log(`FAILED: ${what} found ${found} of ${expected}`);
}

const label = (size) => (size >= KIB * KIB ? `${size / KIB / KIB} MB` : `${size / KIB} KB`);
const cell = (text) => String(text).padStart(13);

console.log(`V8 ${process.versions.v8} (Node ${process.versions.node}), simd128 ${wasm.bench_simd() ? "on" : "OFF"}; native: ${process.arch}, scalar prefilter`);
console.log(`GB/s, the ten kinds of the core where nothing else is said, with validation and exact spans; median of ${RUNS} runs of at least ${RUN_NANOSECONDS / 1e6} ms (V8: CPU time)\n`);
const lines = [];
let benign = Infinity;
for (const [where, title] of [["wasm", "in V8"], ["native", "native"]]) {
  console.log(`${title.padEnd(28)}${CORPORA.flatMap((name) => SIZES.map((size) => cell(`${name} ${label(size)}`))).join("")}`);
  for (let engine = 0; engine < ENGINES.length; engine += 1) {
    const cells = [];
    for (const name of CORPORA) {
      for (const size of SIZES) {
        const expected = make(name, size);
        const runs = size > KIB * KIB ? 5 : RUNS;
        const { found, nanoseconds } = where === "wasm" ? measureWasm(engine, runs) : await measureNative(engine, runs, size, name);
        if (COUNTED.has(engine)) check(`${ENGINES[engine]} ${where} ${name} ${label(size)}`, found, expected);
        const gbps = size / nanoseconds;
        cells.push(cell(gbps.toFixed(2)));
        if (engine === BODYGUARD && size === 256 * KIB) {
          if (where === "wasm" && name === "json") benign = nanoseconds / size;
          lines.push(`engine=${where} corpus=${name} gbps=${gbps.toFixed(2)}`);
        }
        if (engine === OWN && size === 256 * KIB && where === "wasm" && name === "json") {
          lines.push(`engine=wasm corpus=json own_kinds=50 speed_of_none=${((benign * size) / nanoseconds).toFixed(2)}`);
        }
      }
    }
    console.log(`${ENGINES[engine].padEnd(28)}${cells.join("")}`);
  }
  console.log();
}

console.log(`hostile bodies in V8, 256 KB, ns/byte   ten kinds   times json    all kinds   with 50 own`);
let worst = 0;
for (const name of ADVERSARIAL) {
  const size = 256 * KIB;
  check(`hostile ${name}`, (make(name, size), measureWasm(BODYGUARD, 1).found), 0);
  const [cost, ...more] = [BODYGUARD, ALL, ALL_AND_OWN].map((engine) => measureWasm(engine, quick ? 5 : 15).nanoseconds / size);
  worst = Math.max(worst, cost);
  const columns = more.map((cost) => cost.toFixed(2).padStart(13)).join("");
  console.log(`${name.padEnd(36)}${cost.toFixed(2).padStart(13)}${(cost / benign).toFixed(1).padStart(13)}${columns}`);
}
console.log();
for (const line of lines) console.log(line);
console.log(`engine=wasm adversarial_worst_ns_per_byte=${worst.toFixed(2)}`);
native.stdin.end();
process.exitCode = failed ? 1 : 0;
