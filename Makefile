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
CARGO_DENY_VERSION := 0.20.2

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
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{ printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

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
test: format lint-template unit end-to-end runtime-interface ## everything that must pass, as CI runs it

.PHONY: check
check: format clippy dependencies lint-template validate-template ## formatting, lints, dependencies, template

.PHONY: chaos
chaos: ## creates under fire on the running stack: Stripe fails half, sync-billing is killed; then all must agree
	@$(VENV)/python tools/local/chaos.py $(ARGS)

.PHONY: load
load: ## five minutes of creates through all three APIs on the running stack, with kill -9 and a restart
	@$(VENV)/python tools/local/load.py $(ARGS)

.PHONY: watch
watch: ## the running stack's functions from source: a saved file is answered with in seconds (docs/inner-loop.md)
	@$(STACK) packages requirements-build.txt
	@$(VENV)/python tools/local/watch.py $(ARGS)

# The last `sam build` is taken away, since `sam deploy` would prefer it to what is built here.
.PHONY: build
build: binaries ## release binaries as target/lambda/<function>/bootstrap, for this processor (or ARCH=arm64, ARCH=x86_64)
	@rm -rf .aws-sam/build

# ---------------------------------------------------------------- What `build` and `sam build` have in common

.PHONY: binaries
binaries:
	@$(STACK) packages requirements-build.txt
	CARGO_TARGET_DIR=target $(VENV)/cargo-lambda lambda build --release --locked $(FOR_$(ARCH)) \
		--disable-optimizations $(addprefix --package=,$(FUNCTIONS))

# What `sam build` calls for CreateSeatsFunction and every other function, with ARTIFACTS_DIR set. The first call builds
# all of them. Built is what template.yaml deploys by default.
build-%Function: ARCH := $(if $(ARCH),$(ARCH),arm64)
build-%Function: binaries
	@name=$$(sed -e 's/\([A-Z]\)/-\1/g' -e 's/^-//' <<< '$*' | tr '[:upper:]' '[:lower:]'); \
	cp "target/lambda/$$name/bootstrap" "$(ARTIFACTS_DIR)/bootstrap"

.PHONY: openapi
openapi: ## write docs/openapi.json and docs/errors.md, which are made from the code
	cargo run --locked --quiet --package api-reference

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

# Advisories are left out: their database is fetched from the network at each run, and what passed yesterday must pass
# today. `cargo deny check advisories` asks for them.
.PHONY: dependencies
dependencies:
	@$(STACK) tool cargo-deny $(CARGO_DENY_VERSION)
	.local/cargo/bin/cargo-deny --locked check bans licenses sources

.PHONY: lint-template
lint-template:
	@$(STACK) packages requirements-test.txt
	$(VENV)/cfn-lint template.yaml

.PHONY: validate-template
validate-template:
	@$(STACK) packages requirements-check.txt
	$(VENV)/sam validate --lint --region us-east-1 --template template.yaml

.PHONY: unit
unit:
	@$(STACK) packages requirements-test.txt
	cargo test --workspace --locked --features stripe-stand-in/sdk-test

# A stack of its own, made anew, on free ports: it disturbs no `make run`.
.PHONY: end-to-end
end-to-end:
	@$(STACK) forget --dir $(TEST_STACK)
	@trap '$(STACK) down --dir $(TEST_STACK)' EXIT; \
	$(STACK) up --dir $(TEST_STACK) --any-ports --detach; \
	HEADCOUNT_STACK="$(CURDIR)/$(TEST_STACK)/stack.json" \
		cargo test --locked --package headcount-tests --features end-to-end --test end-to-end

# Every sample event of a gateway to the release binaries, through the emulator that `sam local` runs in its container
# and the SAM CLI brings along. The command line signs those of Stripe.
EMULATOR_OF := $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64)

.PHONY: runtime-interface
runtime-interface: binaries
	@$(STACK) packages requirements-check.txt
	cargo build --locked --package headcount
	HEADCOUNT_BINARIES="$(CURDIR)/target/lambda" \
	HEADCOUNT_RUNTIME_EMULATOR="$$(ls "$(CURDIR)/$(VENV)"/../lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-$(EMULATOR_OF))" \
		cargo test --locked --package headcount-tests --features runtime-interface --test runtime-interface
