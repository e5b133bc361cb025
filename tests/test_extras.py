"""What needs an extra says so, and is not needed for the rest."""

import subprocess
import sys

MESSAGE = "hplasso.torch needs PyTorch, which is not installed: pip install 'hplasso[torch]'."


WITHOUT_TORCH = """
import sys

class Nowhere:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            raise ImportError(name)

sys.meta_path.insert(0, Nowhere())
import hplasso.torch
"""


def test_message_without_torch():
    done = subprocess.run([sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.strip().endswith(f"ImportError: {MESSAGE}")


def test_the_package_does_not_import_torch():
    code = "import sys, hplasso; raise SystemExit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
