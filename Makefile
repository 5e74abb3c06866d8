# The doors to the project. `make` alone, or `make help`, lists them.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Seeds that `make sim` tries, and rounds of kill and restart that `make crash` makes. `make test` takes its own.
SEEDS ?= 20000
ROUNDS ?= 500
# Requests that `make api-fuzz` sends at least.
REQUESTS ?= 20000

.PHONY: help tools run test console tidy fmt openapi bench sim crash api-fuzz test-java

help: ## list the targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name text; do \
	    printf '  make %-10s %s\n' "$$name" "$$text"; done

# Without these nothing below can work, and their own errors are not kind.
tools:
	@command -v cargo >/dev/null || { \
	    echo 'cargo is missing: install Rust 1.89 or newer (rustup, or your system’s rust package)' >&2; exit 1; }
	@command -v cc >/dev/null || { \
	    echo 'a C compiler is missing (SQLite and the TLS library need one): install gcc and libc6-dev, or clang' >&2; \
	    exit 1; }

run: tools ## start a demo: a fake provider, polls, and the events they make
	@bash scripts/console.sh offer
	cargo run -p turnstone -- demo

test: ## run every check and test, with the minutes of each part
	@command -v cargo >/dev/null || $(MAKE) --no-print-directory tools
	@bash scripts/setup-test.sh
	@$(MAKE) --no-print-directory tools
	cargo xtask ci

console: ## build the console into console/dist; the program embeds it when it is built next
	@bash scripts/console.sh build

tidy: tools ## check the rules of the house (imports, sizes, docs, licences)
	cargo xtask tidy

fmt: tools ## format the code
	cargo fmt --all

openapi: tools ## write docs/openapi.json anew, from what the routes say of themselves
	UPDATE_OPENAPI=1 cargo test --workspace --bin turnstone the_committed_document

bench: tools ## measure
	cargo bench -p turnstone --profile dist
	@bash scripts/console.sh build
	cargo build --workspace --bins --examples
	@bash scripts/console.sh bench

sim: tools ## simulate SEEDS=20000 seeds of crashes, clocks and failing networks
	SEEDS=$(SEEDS) cargo test -p turnstone-engine --test sim -- --nocapture

crash: tools ## kill a real node ROUNDS=500 times and count lost and doubled events
	ROUNDS=$(ROUNDS) cargo test -p turnstone --test crash -- --nocapture

api-fuzz: tools ## send the API REQUESTS=20000 requests by its own schema, and look at every answer
	@bash scripts/setup-test.sh
	REQUESTS=$(REQUESTS) cargo test --workspace --test it -- the_api_keeps_to_its_own_schema --nocapture

test-java: tools ## compare the date patterns with Java itself
	@command -v java >/dev/null && command -v javac >/dev/null || { \
	    echo 'java is missing: install a JDK (Debian: default-jdk-headless)' >&2; exit 1; }
	bash scripts/test-java.sh
