"""setuptools as it is, but that the list of a source distribution's files is beside this file.

setuptools looks for it in the top folder, and has no option for another place.
"""

from setuptools.build_meta import *  # noqa: F403
from setuptools.command.egg_info import manifest_maker

manifest_maker.template = ".ci/manifest.in"
