#!/usr/bin/env python3
"""What other scanners of models say of files: one line a file, its exit code and name.

Usage: models.py picklescan|modelscan|fickling LIST     (LIST: a file of paths, one a line)

Each is asked by its own library, with its defaults, in one process: 0 clean, 1 unsafe, 2 error.
"""
import logging
import pathlib
import sys
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)
tool, files = sys.argv[1], pathlib.Path(sys.argv[2]).read_text().splitlines()

if tool == "picklescan":
    from picklescan.scanner import scan_file_path

    def judge(path):
        result = scan_file_path(path)
        return 1 if result.infected_files else 2 if result.scan_err else 0
elif tool == "modelscan":
    from modelscan.modelscan import ModelScan

    scanner = ModelScan()

    def judge(path):
        result = scanner.scan(path)
        return 1 if result["issues"] else 2 if result["errors"] else 0
else:
    import fickling

    def judge(path):
        return 0 if fickling.is_likely_safe(path) else 1

for path in files:
    try:
        code = judge(path)
    except BaseException:
        code = 2
    print(code, path, flush=True)
