# Needs Rust, Python 3, make and curl; everything else goes into .local/ and target/.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory

# The oldest and the newest Envoy that the tests run against, and the one for the demo.
ENVOY_OLDEST := 1.36.2
ENVOY_NEWEST := 1.40.0

WASM_TARGET := wasm32-wasip1
WASM := target/$(WASM_TARGET)/release/bodyguard.wasm
FLOORS := target/floors/$(WASM_TARGET)/release/bodyguard_bench_floors.wasm

# The module's flags stand in .cargo/config.toml; flags of the environment would replace them and drop SIMD.
unexport RUSTFLAGS
unexport CARGO_ENCODED_RUSTFLAGS
export CARGO_TARGET_DIR := $(CURDIR)/target

##@ Everyday

help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { printf "\n%s\n", substr($$0, 5) } /^[a-z0-9-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: rust-wasm ## the module: target/wasm32-wasip1/release/bodyguard.wasm
	@scripts/module $(WASM_TARGET)
	@echo "$(WASM) $$(($$(wc -c < $(WASM)) / 1024)) KiB"

demo: build envoy-newest ## real traffic through a real Envoy: what goes in, what comes out, what is counted
	@python3 -B examples/demo/demo.py --envoy .local/envoy-$(ENVOY_NEWEST)/envoy --module $(WASM)

run: build envoy-newest ## keep the demo's Envoy running, with curl commands to play with
	@python3 -B examples/demo/demo.py --envoy .local/envoy-$(ENVOY_NEWEST)/envoy --module $(WASM) --keep-running

dashboard: build envoy-newest operate-tools ## Envoy, Prometheus and traffic, with a live page: prints its address, Ctrl-C ends all
	@python3 -B examples/dashboard/dashboard.py --envoy .local/envoy-$(ENVOY_NEWEST)/envoy --module $(WASM)

##@ Tests

test: lint unit envoy-test operate-test deploy-test ## everything that decides whether a change lands

lint: rust-lint rust-wasm ## formatting and clippy, native and for the module
	@cargo fmt --check
	@cargo clippy --quiet --all-targets -- -D warnings
	@cargo clippy --quiet --lib --target $(WASM_TARGET) -- -D warnings

unit: rust ## unit, property, corpus and command line tests
	@cargo test --quiet

# More for pytest: make envoy-test PYTEST='-k gzip -x'
envoy-test: build envoy-oldest envoy-newest .local/python/.ready ## the module in real Envoys, the oldest and the newest supported
	@scripts/need openssl
	@.local/python/bin/python3 -B -m pytest -c tests/envoy/pytest.ini tests/envoy --module $(WASM) \
	  --envoy .local/envoy-$(ENVOY_OLDEST)/envoy --envoy .local/envoy-$(ENVOY_NEWEST)/envoy $(PYTEST)

# More for pytest: make operate-test PYTEST='-k rules'
operate-test: build envoy-newest .local/python/.ready operate-tools ## what operators get: examples, metrics in Prometheus, dashboards, alerts
	@.local/python/bin/python3 -B -m pytest -c tests/operate/pytest.ini tests/operate --module $(WASM) --envoy .local/envoy-$(ENVOY_NEWEST)/envoy $(PYTEST)

# Istio's and Envoy Gateway's manifests, the chart, the image and the schema, with the tools that operators use: kubectl, helm, skopeo,
# a registry, an editor's language server.
deploy-test: build envoy-newest .local/kubernetes/kubectl .local/deploy/.ready ## what is installed in clusters, with a real registry and Envoy
	@scripts/debian docker-registry=docker-registry skopeo=skopeo
	@scripts/node-package .local/editor yaml-language-server@1.25.0
	@.local/deploy/bin/python3 -B -m pytest -c tests/deploy/pytest.ini tests/deploy --module $(WASM) \
	  --envoy .local/envoy-$(ENVOY_NEWEST)/envoy --tools .local/kubernetes --editor .local/editor $(PYTEST)

wasm-test: rust-wasm ## the scanner's tests as WebAssembly, where simd128 is on (needs Node.js)
	@scripts/need node
	@scripts/wasm-test

# Another length, one world: make soak SECONDS=30 SOAK='--world held'
soak: build envoy-newest .local/python/.ready ## 200 streams at once through one worker, for two minutes, headers released and held
	@.local/python/bin/python3 -B tests/envoy/soak.py --envoy .local/envoy-$(ENVOY_NEWEST)/envoy --module $(WASM) \
	  --seconds $(or $(SECONDS),120) $(SOAK)

fmt: rust-lint ## format the code
	@cargo fmt

##@ The image

image: build ## an OCI image for Istio and Envoy Gateway in target/image: the same bytes for the same source
	@python3 -B scripts/image.py --module $(WASM) --out target/image

# Options of skopeo copy: make push IMAGE=localhost:5000/bodyguard:0.1.0 PUSH='--dest-tls-verify=false'
push: image ## push it: make push IMAGE=registry/name:tag; prints what to pin (needs skopeo)
	@scripts/push-image target/image '$(IMAGE)' $(PUSH)

image-check: image ## build it again in another folder with another Cargo home, and compare byte for byte (some minutes)
	@scripts/image-check

sbom: rust ## write sbom.cdx.json anew, after a change of dependencies (installs cargo-cyclonedx locally)
	@test -x .local/cyclonedx/bin/cargo-cyclonedx || cargo install --quiet --locked --debug --root .local/cyclonedx cargo-cyclonedx@0.5.9
	@scripts/sbom .local/cyclonedx/bin/cargo-cyclonedx $(WASM_TARGET)

##@ Measurements

# Shorter: make bench BENCH=--quick
bench: rust-wasm ## the engine in V8 and native, beside memcpy and regexes (needs Node.js)
	@scripts/need node
	@benches/engine/run.sh $(BENCH)

bench-envoy: build envoy-newest ## CPU per response in Envoy: router alone, lesser Wasm filters, Lua, bodyguard
	@cd benches/envoy && CARGO_TARGET_DIR=$(CURDIR)/target/floors cargo build --quiet --release --target $(WASM_TARGET)
	@python3 -B benches/envoy/bench.py --envoy .local/envoy-$(ENVOY_NEWEST)/envoy --module $(WASM) --floors $(FLOORS) $(BENCH)

# Longer: make fuzz SECONDS=3600
fuzz: rust ## feed the scanner random bodies in random pieces (installs cargo-fuzz locally)
	@scripts/fuzz scan_split $(or $(SECONDS),60)

quality: rust ## count findings in well-known npm packages (needs npm, downloads some hundred megabytes)
	@scripts/need npm
	@scripts/quality/measure.py

##@ Housekeeping

clean: ## remove everything that was built or installed here
	@rm -rf target .local tests/envoy/.pytest_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What the targets above stand on. Each is silent and quick when there is nothing to do.

rust:
	@scripts/need cargo rustc cc
rust-wasm:
	@scripts/rust-target $(WASM_TARGET)
rust-lint:
	@scripts/rust-component clippy rustfmt
envoy-oldest:
	@scripts/envoy $(ENVOY_OLDEST)
envoy-newest:
	@scripts/envoy $(ENVOY_NEWEST)
operate-tools:
	@scripts/debian prometheus=prometheus promtool=prometheus chromium=chromium chromedriver=chromium-driver
.local/python/.ready: tests/envoy/requirements.txt scripts/python-env
	@scripts/python-env .local/python --requirement tests/envoy/requirements.txt
	@touch $@
.local/deploy/.ready: tests/deploy/requirements.txt scripts/python-env
	@scripts/python-env .local/deploy --no-deps --ignore-requires-python --requirement tests/deploy/requirements.txt
	@touch $@
.local/kubernetes/kubectl:
	@scripts/kubernetes-tools .local/kubernetes

.PHONY: help build demo run dashboard test lint unit envoy-test operate-test deploy-test wasm-test soak image push image-check sbom bench bench-envoy fuzz quality fmt clean rust rust-wasm rust-lint envoy-oldest envoy-newest operate-tools
