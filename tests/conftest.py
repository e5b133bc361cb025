"""Shared by all tests: they import the oracle from beside them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
