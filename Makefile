# Thin: each target says which script does it, and the scripts can be run without make.
.DEFAULT_GOAL := help
.PHONY: help build demo demo-servers bench test lint check check-deep fuzz format clean
# One at a time also under `make -j`: they share build directories, and each uses all processors by itself.
.NOTPARALLEL:

JOBS ?= $(shell nproc)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

build: ## the program: build/release/deduplab
	scripts/setup build
	cmake --preset release
	cmake --build --preset release --target deduplab --parallel $(JOBS)

demo: build ## build it and run plans/first-look.toml into runs/demo
	@scripts/demo

demo-servers: build ## the same on real servers of the local machine: plans/servers.toml into runs/demo-servers
	scripts/setup servers
	@scripts/demo-servers

bench: build ## speed beside native loaders, other scanners and makers of data, and what measuring costs; half an hour, on a quiet machine
	scripts/setup servers bench
	cmake --preset release
	cmake --build --preset release --target bench_measure_operation --parallel $(JOBS)
	build/release/bench_measure_operation --benchmark_repetitions=5 --benchmark_report_aggregates_only=true
	bench/bulk-insert
	bench/scan
	bench/generate

test: ## build everything with sanitizers and run all tests
	scripts/setup test servers
	JOBS=$(JOBS) scripts/test dev

lint: ## format, layers, sizes, words; clang-tidy on what changed
	scripts/setup check
	scripts/check

check: lint test ## all that CI does

check-deep: ## clang-tidy on everything; all tests, also under the thread sanitizer; a minute of fuzzing a target
	scripts/setup check test servers fuzz
	scripts/check --all
	LAB_DEEP=1 LAB_KILLS=16 JOBS=$(JOBS) scripts/test dev
	JOBS=$(JOBS) scripts/test tsan
	JOBS=$(JOBS) scripts/fuzz 60

fuzz: ## what takes bytes of others, ten minutes a target; SECONDS=60 for a minute
	scripts/setup fuzz
	JOBS=$(JOBS) scripts/fuzz $(or $(SECONDS),600)

format: ## lay out all C++ files
	scripts/setup check
	scripts/format

clean: ## remove what was built; runs stay
	rm -rf build web/node_modules
