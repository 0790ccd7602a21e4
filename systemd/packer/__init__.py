"""From a checkout to what machines are given: a wheel, Debian packages, a signed release. Into `build/`."""
