"""What the programs in scripts/ and the tests of tests/e2e share. Debian's python3, standard library only."""
