import sys
from pathlib import Path

from writing import write

write(Path(sys.prefix) / "bin" / "pip", f"#!{sys.prefix}/bin/python\nprint('pip 1.0')\n", 0o755)
