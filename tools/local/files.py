"""Files with credentials in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def write_private(file: Path, content: dict[str, Any]) -> None:
    """Writes JSON that only this user can read, whole or not at all: who waits for the file never reads half of it."""
    staged = file.with_suffix(".tmp")
    staged.unlink(missing_ok=True)
    staged.touch(mode=0o600)
    staged.write_text(json.dumps(content, indent=2) + "\n")
    staged.replace(file)
