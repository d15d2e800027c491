"""Writes PyTorch's numbers for test_edge_cases.py: python tests/ops/make_edge_cases.py"""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import torch

cases = runpy.run_path(str(Path(__file__).with_name("test_edge_cases.py")))
numbers = {name: cases["torchs"](case, torch) for name, case in cases["CASES"].items()}
lines = [f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(value)}" for name, value in numbers.items()]
cases["REFERENCE"].write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
