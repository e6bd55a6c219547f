"""Everything but the C core is in pyproject.toml."""

from setuptools import setup

setup(cffi_modules=["edged/core/build.py:ffi"])
