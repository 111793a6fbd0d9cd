import sys
from pathlib import Path

from writing import write

text = (Path(__file__).parent / "uv.py").read_text(encoding="utf-8")
write(Path(sys.prefix) / "bin" / "uv", f"#!{Path(sys.base_prefix) / 'bin' / 'python3'}\n{text}", 0o755)
