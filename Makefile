# Everything a developer runs. `make help` lists it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c

PYTHON ?= python3
ifeq (,$(shell command -v $(PYTHON)))
$(error Python is missing: '$(PYTHON)' is not on the PATH. Install Python 3.11 or newer with its venv module \
(Debian, Ubuntu: apt-get install python3 python3-venv), or name one: make PYTHON=/path/to/python3)
endif
STACK := $(PYTHON) tools/local/stack.py
VENV := .local/venv/bin
TEST_STACK := .local/test

FUNCTIONS := $(notdir $(patsubst %/,%,$(wildcard functions/*/)))
BUILT = $(FUNCTIONS)
BENCH := target/debug/bench
CARGO_DENY_VERSION := 0.20.2
CARGO_MUTANTS_VERSION := 27.1.0

# Empty is the processor of this machine, and its own linker. For another one cargo-lambda links with zig, and the
# toolchain needs that target: rustup target add aarch64-unknown-linux-gnu
ARCH ?=
FOR_ := --compiler cargo
FOR_arm64 := --arm64
FOR_x86_64 := --x86-64
ifeq (undefined,$(origin FOR_$(ARCH)))
$(error ARCH is arm64 or x86_64, not $(ARCH))
endif

export SAM_CLI_TELEMETRY := 0

.NOTPARALLEL:

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{ printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## bring up a local stack and follow its logs (ARGS=--detach: return when it is ready)
	@$(STACK) up $(ARGS)

.PHONY: stop
stop: ## end the local stack; its state stays
	@$(STACK) down

.PHONY: clean-local
clean-local: ## end the local stack and forget its state
	@$(STACK) forget

.PHONY: test
test: format lint-template lint-reference unit end-to-end runtime-interface guard ## everything that must pass, as CI runs it

.PHONY: check
check: format clippy dependencies lint-template lint-reference validate-template ## formatting, lints, dependencies, template

.PHONY: chaos
chaos: ## creates under fire on the running stack: Stripe fails half, sync-billing is killed; then all must agree
	@$(VENV)/python tools/local/chaos.py $(ARGS)

.PHONY: load
load: ## five minutes of creates through all three APIs on the running stack, with kill -9 and a restart
	@$(VENV)/python tools/local/load.py $(ARGS)

# Coverage for libFuzzer, by flags of the stable compiler. The engine itself is C++.
FUZZ_FLAGS := -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
	-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
	-Cllvm-args=-sanitizer-coverage-trace-compares --cfg=libfuzzer
HOST = $(shell rustc -vV | sed -n 's/^host: //p')
FUZZER = target/fuzz/$(HOST)/fuzz/headcount-fuzz
TARGETS ?= $(notdir $(wildcard fuzz/corpus/*))
T ?= 60

.PHONY: fuzz
fuzz: ## look for inputs that crash, hang, grow or give a 5xx (T=600 seconds each, TARGETS="email text")
	RUSTFLAGS="$(FUZZ_FLAGS)" cargo build --locked --profile fuzz --package headcount-fuzz \
		--target $(HOST) --target-dir target/fuzz
	@for target in $(TARGETS); do \
		echo "== $$target"; \
		mkdir -p .local/fuzz/corpus/$$target .local/fuzz/found; \
		FUZZ_TARGET=$$target $(FUZZER) -max_total_time=$(T) -timeout=1 -rss_limit_mb=512 -max_len=16384 \
			-print_final_stats=1 -verbosity=0 -artifact_prefix=.local/fuzz/found/$$target- \
			.local/fuzz/corpus/$$target fuzz/corpus/$$target; \
	done

# Two rounds: what the own tests of model and store, which take seconds, do not notice is left to the component
# tests. Nothing of it is compiled in this directory. With -C the tests are named to the build of a mutant too,
# which would link all of them otherwise.
MUTANTS = .local/cargo/bin/cargo-mutants mutants --no-shuffle --output .local
NOTICING := seats agency identity billing table

.PHONY: mutants
mutants: ## break the model and the transactions in small ways; the tests must notice (ARGS=--shard=0/8)
	@$(STACK) tool cargo-mutants $(CARGO_MUTANTS_VERSION)
	$(MUTANTS) -C=--locked $(ARGS) || case $$? in 2|3) ;; *) exit 1 ;; esac
	$(MUTANTS) --iterate -C=--workspace -C=--locked $(NOTICING:%=-C=--test=%) $(ARGS)

# SEED alone runs one schedule and shows its record; N runs many, beginning with SEED or 0.
.PHONY: simulate
simulate: ## run N=… simulated schedules, or show the one of SEED=…
	SIMULATE_N=$(or $(N),$(if $(SEED),1,10000)) SIMULATE_SEED=$(SEED) \
		cargo test --locked --workspace --profile simulate --test simulation -- schedules --exact --nocapture

.PHONY: plant
plant: ## break the code in known ways; the simulation has to find each (docs/reliability.md)
	$(PYTHON) tools/plant.py

.PHONY: conformance
conformance: ## requests made from docs/openapi.json to the running stack; the answers must be in it (ARGS=--examples=1000)
	@$(STACK) packages requirements-conformance.txt
	@$(VENV)/python tools/local/conformance.py $(ARGS)

.PHONY: watch
watch: ## the running stack's functions from source: a saved file is answered with in seconds (docs/inner-loop.md)
	@$(STACK) packages requirements-build.txt
	@$(VENV)/python tools/local/watch.py $(ARGS)

# The last `sam build` is taken away, since `sam deploy` would prefer it to what is built here.
.PHONY: build
build: binaries ## release binaries as target/lambda/<function>/bootstrap, for this processor (or ARCH=arm64, ARCH=x86_64)
	@rm -rf .aws-sam/build

.PHONY: bench
bench: build bench-tools ## measure the functions beside a floor and peers (ARGS=--quick: less often)
	@$(BENCH) run $(ARGS)

.PHONY: bench-growth
bench-growth: build ## follow how costs grow with seats, organizations and writers (ARGS=--quick)
	cargo build --quiet --locked --package headcount-bench --features growth
	@$(BENCH) growth $(ARGS)

.PHONY: bench-publish
bench-publish: ## bring the last bench and bench-growth into docs/performance.md and docs/cost.md
	cargo build --quiet --locked --package headcount-bench
	@$(BENCH) publish

.PHONY: bench-guard-update
bench-guard-update: build ## keep the instructions, bytes and calls of now as those that `guard` compares with
	cargo build --quiet --locked --package headcount-bench
	@$(BENCH) guard --update

# ---------------------------------------------------------------- What `build` and `sam build` have in common

.PHONY: binaries
binaries:
	@$(STACK) packages requirements-build.txt
	CARGO_TARGET_DIR=target $(VENV)/cargo-lambda lambda build --release --locked $(FOR_$(ARCH)) \
		--disable-optimizations $(addprefix --package=,$(BUILT))

# What `sam build` calls for CreateSeatsFunction and every other function, with ARTIFACTS_DIR set. The first call builds
# all of them. Built is what template.yaml deploys by default.
build-%Function: ARCH := $(if $(ARCH),$(ARCH),arm64)
build-%Function: binaries
	@name=$$(sed -e 's/\([A-Z]\)/-\1/g' -e 's/^-//' <<< '$*' | tr '[:upper:]' '[:lower:]'); \
	cp "target/lambda/$$name/bootstrap" "$(ARTIFACTS_DIR)/bootstrap"

# The floors are built as the functions are.
.PHONY: bench-tools
bench-tools:
	CARGO_TARGET_DIR=target $(VENV)/cargo-lambda lambda build --release --locked $(FOR_$(ARCH)) \
		--disable-optimizations --package=floor-hello --package=floor-get-item --package=floor-put-item
	$(PYTHON) tools/bench/peers.py
	cargo build --quiet --locked --package headcount-bench

.PHONY: openapi
openapi: ## write docs/openapi.json and docs/errors.md, which are made from the code
	cargo run --locked --quiet --package api-reference

.PHONY: standards
standards: ## write the lists of ISO 4217 and of languages anew from the packages that tools/standards/refresh.py pins
	$(PYTHON) tools/standards/refresh.py

.PHONY: reference-picture
reference-picture: ## take docs/reference.png of the API reference of the running stack (needs Chromium)
	$(PYTHON) tools/local/reference.py --screenshot docs/reference.png

# ---------------------------------------------------------------- The parts of `test` and `check`

.PHONY: format
format:
	cargo fmt --all --check

.PHONY: clippy
clippy:
	cargo clippy --workspace --all-targets --all-features --locked -- -D warnings

# The database of advisories is fetched from GitHub at each run. Where that cannot be reached, the rest is checked all the
# same, and it is said.
.PHONY: dependencies
dependencies:
	@$(STACK) tool cargo-deny $(CARGO_DENY_VERSION)
	.local/cargo/bin/cargo-deny --locked check bans licenses sources
	@if .local/cargo/bin/cargo-deny --locked fetch db; \
		then .local/cargo/bin/cargo-deny --locked --offline check advisories; \
		else echo "ADVISORIES ARE NOT CHECKED: their database cannot be reached"; fi

.PHONY: lint-template
lint-template:
	@$(STACK) packages requirements-test.txt
	$(VENV)/cfn-lint template.yaml

.PHONY: validate-template
validate-template:
	@$(STACK) packages requirements-check.txt
	$(VENV)/sam validate --lint --region us-east-1 --template template.yaml

.PHONY: lint-reference
lint-reference:
	@$(STACK) node-packages
	$(VENV)/python tools/local/clients.py lint

# Every command below builds the whole workspace, or binaries of it: with a package alone, other features of what it
# needs would be asked for, and most of it built twice.
.PHONY: unit
unit:
	@$(STACK) packages requirements-test.txt
	cargo test --workspace --locked --features stripe-stand-in/sdk-test

# A stack of its own, made anew, on free ports: it disturbs no `make run`. The runbook comes by itself: it holds billing.
# At first no other origin may call, as by default; afterwards these may.
TEST_ORIGINS := http://shop.example,https://www.shop.example:8443

.PHONY: end-to-end
end-to-end:
	@$(STACK) packages requirements-conformance.txt
	@$(STACK) packages requirements-check.txt
	@$(STACK) packages requirements-runbook.txt
	@$(STACK) node-packages
	@$(STACK) forget --dir $(TEST_STACK)
	@trap '$(STACK) down --dir $(TEST_STACK)' EXIT; \
	$(STACK) up --dir $(TEST_STACK) --any-ports --detach; \
	HEADCOUNT_STACK="$(CURDIR)/$(TEST_STACK)/stack.json" \
		cargo test --workspace --locked --features headcount-tests/end-to-end --test end-to-end -- origins::off::; \
	$(STACK) up --dir $(TEST_STACK) --detach --allowed-origins $(TEST_ORIGINS); \
	HEADCOUNT_STACK="$(CURDIR)/$(TEST_STACK)/stack.json" \
		cargo test --workspace --locked --features headcount-tests/end-to-end --test end-to-end -- --skip runbook:: --skip origins::off::; \
	HEADCOUNT_STACK="$(CURDIR)/$(TEST_STACK)/stack.json" \
		cargo test --workspace --locked --features headcount-tests/end-to-end --test end-to-end -- runbook::; \
	$(VENV)/python tools/local/conformance.py --stack-file $(TEST_STACK)/stack.json --examples 10 --seed 1

# Every sample event of a gateway to the binaries, through the emulator that `sam local` runs in its container and the SAM
# CLI brings along. The command line signs those of Stripe. The creates, which `guard` measures, are built as they are
# deployed; the others as tests are (docs/adr/0027-what-is-built-for-tests.md).
EMULATOR_OF := $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64)

CREATES := create-account create-agency-account create-seats
runtime-interface guard: BUILT = $(CREATES)

.PHONY: runtime-interface
runtime-interface: binaries
	@$(STACK) packages requirements-check.txt
	cargo build --locked --bin headcount $(FUNCTIONS:%=--bin=%)
	HEADCOUNT_RELEASED="$(CREATES)" \
	HEADCOUNT_BINARIES="$(CURDIR)/target" \
	HEADCOUNT_RUNTIME_EMULATOR="$$(ls "$(CURDIR)/$(VENV)"/../lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-$(EMULATOR_OF))" \
		cargo test --workspace --locked --features headcount-tests/runtime-interface --test runtime-interface

# Instructions, bytes and calls of the creates, held against tools/bench/guard.json.
.PHONY: guard
guard: binaries
	cargo build --quiet --locked --bin bench
	@$(BENCH) guard
