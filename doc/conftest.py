"""Doctests are in the pages themselves: not in what the build makes of them, or is made by."""

collect_ignore_glob = ["conf.py", "_ext/*", "_build/*", "auto_examples/*", "generated/*"]
