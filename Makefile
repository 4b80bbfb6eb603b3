# The front door. Each target installs what it needs (tools/deps), configures and builds.
#
#   make demo                      the shop of examples/shop, on a store in build/demo
#   make test                      every test            make examples   every example
#   make bench NAME=embedded       a benchmark           make fuzz SECONDS=600
#   make format | lint | docs      sources and pages     make coverage   lines that tests reach
#   make install PREFIX=DIR        no root is needed     make deb        packages in build/
PREFIX  ?= /usr/local
NAME    ?=
SECONDS ?= 60
JOBS    := $(shell nproc 2>/dev/null || echo 2)

.DEFAULT_GOAL := build
.PHONY: build demo test bench examples fuzz format lint docs coverage install deb clean

build:
	@tools/deps build
	@cmake --preset release
	@cmake --build --preset release

demo:
	@tools/deps build
	@tools/demo

test:
	@tools/deps build test
	@cmake --preset dev
	@cmake --build --preset dev
	@ctest --preset dev -j$(JOBS)

examples:
	@tools/deps build test
	@cmake --preset dev
	@cmake --build --preset dev --target examples
	@ctest --preset dev -L '^example$$' --verbose

bench:
	@tools/deps build bench $(if $(filter driver,$(NAME)),bench-peers)
	@cmake --preset release
	@cmake --build --preset release --target all benchmarks
	@bench/run $(NAME)

fuzz:
	@tools/deps build fuzz
	@cmake --preset fuzz
	@cmake --build --preset fuzz
	@tools/fuzz $(if $(RUNS),--runs $(RUNS),--seconds $(SECONDS)) $(NAME)

format:
	@tools/deps lint
	@tools/format

lint:
	@tools/deps build test lint
	@tools/lint

docs:
	@tools/deps build docs
	@tools/docs

coverage:
	@tools/deps build test coverage
	@tools/coverage

install:
	@tools/deps build
	@cmake --preset release -B build/install -DCMAKE_INSTALL_PREFIX=$(abspath $(PREFIX)) -DCORM_BENCH=OFF
	@cmake --build build/install
	@cmake --install build/install --strip

deb:
	@tools/deps build deb
	@cmake --preset release -B build/deb -DCMAKE_INSTALL_PREFIX=/usr -DCORM_BENCH=OFF
	@cmake --build build/deb
	@cpack --config build/deb/CPackConfig.cmake -G DEB -B build/deb/packages
	@cp build/deb/packages/*.deb build/
	@ls -l build/*.deb

clean:
	rm -rf build
