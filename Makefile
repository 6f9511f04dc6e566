# SPDX-License-Identifier: Apache-2.0
# The short front door: each target says what it does and installs by package name what it needs.
BUILD ?= build
IMAGE ?=
JOBS  ?= $(shell nproc)

.PHONY: help build demo test bench docs format clean

help:
	@echo "make demo              build, draw a blood smear, find its cells: $(BUILD)/demo/*.png"
	@echo "make demo IMAGE=x.jpg  the same on your own photo"
	@echo "make test              build and run all tests"
	@echo "make build             build only: $(BUILD)/bin/fovea"
	@echo "make bench             time networks beside ONNX Runtime and OpenVINO"
	@echo "make docs              renew README, docs/cli and the operator table from real runs"
	@echo "make format            clang-format"

build:
	@scripts/bootstrap.sh build
	@scripts/configure.sh $(BUILD) release
	@cmake --build $(BUILD) --parallel $(JOBS) --target product

demo: build
	@scripts/demo.sh $(BUILD) "$(IMAGE)"

test:
	@scripts/bootstrap.sh test
	@scripts/configure.sh $(BUILD) release
	@cmake --build $(BUILD) --parallel $(JOBS)
	@cmake --build $(BUILD) --target asan_tests
	@scripts/test.sh $(BUILD)

bench: build
	@scripts/bootstrap.sh bench
	@scripts/bench.sh $(BUILD)

docs: build
	@scripts/generate_docs.py $(BUILD)

format:
	@git ls-files '*.cpp' '*.h' | xargs clang-format -i

clean:
	@rm -rf $(BUILD) $(BUILD)-asan
