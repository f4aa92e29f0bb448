# Every command of the project. `make` lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test test-long fuzz fuzz-exchange program programs engine idl client page lint docs format cu clean

# The host's own cargo, whatever a shell exports.
CARGO ?= cargo
PROGRAMS := --manifest-path programs/Cargo.toml
FUZZ := --manifest-path fuzz/Cargo.toml

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: program $(if $(KEEP),page) ## the main job on an embedded local chain; KEEP=1 leaves it running with the web page, CONFIG=file.toml opens another exchange
	@$(CARGO) build --locked -p plimsoll-cli
	@target/debug/plimsoll demo $(if $(KEEP),--keep --page app/web/dist) $(if $(CONFIG),--deployment $(CONFIG))

test: ## everything that CI runs: build, lints, all tests, the compute table
	@tools/test

test-long: ## the engine's long tests and the fuzz targets' regressions, 70 s after two minutes of building in release mode
	@$(CARGO) test --release --locked $(PROGRAMS) -p plimsoll-risk -- --ignored
	@$(CARGO) test --locked $(FUZZ) --target-dir target/fuzz

fuzz: ## fuzzes the engine, 60 s a target; SECONDS=600 for longer, TARGET=portfolio for one; needs Rust nightly
	@tools/fuzz $(or $(SECONDS),60) $(TARGET)

fuzz-exchange: ## random walks of many users through the whole exchange; ACTIONS=1000000 SEED=1 for more or others
	@tools/sbf/build --locked programs/plimsoll programs/example-adapter
	@$(CARGO) build --quiet --locked -p plimsoll-exchange-fuzz
	@target/debug/plimsoll-exchange-fuzz --actions $(or $(ACTIONS),100000) --seed $(or $(SEED),1)

program: ## the on-chain program, target/deploy/plimsoll.so
	@tools/sbf/build --locked programs/plimsoll

programs: ## the on-chain program, the examples of an adapter and of a venue, the one that proves its toolchain, the one that measures the engine
	@tools/sbf/build --locked programs/plimsoll programs/example-adapter programs/example-venue programs/vm-check programs/risk-bench

engine: ## the engine and the client's packing as WebAssembly, app/client/engine
	@tools/wasm/build

idl: ## the program's interface description, idl/plimsoll.json; CHECK=1 only compares
	@$(CARGO) build --quiet --locked --manifest-path tools/idl/Cargo.toml --target-dir target/idl
	@target/idl/debug/plimsoll-idl $(if $(CHECK),--check) idl/plimsoll.json

client: idl ## the TypeScript client that is generated from it
	@app/scripts/install
	@cd app && npm run --silent generate

page: engine ## the web page, app/web/dist
	@app/scripts/install
	@cd app && npm run --silent --workspace @plimsoll/web build

lint: ## formatting and lints of both workspaces, formatting of the fuzz targets
	@$(CARGO) fmt --all --check
	@$(CARGO) fmt --all --check $(PROGRAMS)
	@$(CARGO) fmt --all --check $(FUZZ)
	@$(CARGO) fmt --all --check --manifest-path tools/idl/Cargo.toml
	@$(CARGO) fmt --all --check --manifest-path tools/wasm/bindgen/Cargo.toml
	@$(CARGO) clippy --quiet --locked $(PROGRAMS) --workspace --all-targets -- --deny warnings
	@$(CARGO) clippy --quiet --locked --workspace --all-targets -- --deny warnings

docs: ## API documentation of all crates, target/doc and programs/target/doc; fails on a warning
	@RUSTDOCFLAGS="--deny warnings" $(CARGO) doc --quiet --no-deps --locked --workspace
	@RUSTDOCFLAGS="--deny warnings" $(CARGO) doc --quiet --no-deps --locked $(PROGRAMS) -p plimsoll-risk -p plimsoll-interface -p plimsoll

format: ## formats all workspaces
	@$(CARGO) fmt --all
	@$(CARGO) fmt --all $(PROGRAMS)
	@$(CARGO) fmt --all $(FUZZ)
	@$(CARGO) fmt --all --manifest-path tools/idl/Cargo.toml
	@$(CARGO) fmt --all --manifest-path tools/wasm/bindgen/Cargo.toml
	@app/scripts/install
	@cd app && npm run --silent format

cu: ## measures compute units and writes docs/compute.md and docs/compute.json
	@tools/sbf/build --locked programs/plimsoll programs/example-adapter programs/risk-bench
	@$(CARGO) run --locked -p plimsoll-compute

clean: ## removes what was built in the checkout; the tool cache stays
	@rm -rf target programs/target fuzz/target app/client/engine app/node_modules app/web/dist
