"""What scripts/cluster, scripts/demo, scripts/leak-check and tests/e2e share. Debian's python3, standard library only."""
