"""One file per figure of docs/benchmarks.md; `make bench` runs all."""
