#!/usr/bin/env python3
"""Compile the core of rule matching for the Python that runs this, in place, if there is a C compiler.

Without one everything works the same, only slower with thousands of rules. Prints why it could not be done.
"""

import hashlib
import subprocess
import sys
import sysconfig
from pathlib import Path
from shutil import which

RULES = Path(__file__).resolve().parent.parent / "syndicate" / "rules"
SOURCE = RULES / "_core.c"


def main() -> int:
    target = SOURCE.with_name(f"_core{sysconfig.get_config_var('EXT_SUFFIX')}")
    target.unlink(missing_ok=True)  # never one of an older source
    compiler = next(filter(None, map(which, ("cc", "gcc", "clang"))), None)
    headers = Path(sysconfig.get_paths()["include"])
    if compiler is None or not (headers / "Python.h").exists():
        missing = "no C compiler" if compiler is None else f"no Python headers in {headers}"
        print(f"The core of matching was not compiled: {missing}.", file=sys.stderr)
        return 1
    unfinished = target.with_suffix(".tmp")
    shared = ["-bundle", "-undefined", "dynamic_lookup"] if sys.platform == "darwin" else ["-shared"]
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()
    flags = ["-O2", "-fPIC", "-fno-strict-aliasing", *shared, f"-I{headers}", f'-DDIGEST="{digest}"']
    flags += sys.argv[1:]
    done = subprocess.run(
        [compiler, *flags, "-o", unfinished, SOURCE], capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(f"The core of matching was not compiled: {done.stderr.strip()}", file=sys.stderr)
        return 1
    unfinished.replace(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
