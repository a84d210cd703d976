"""The sandbox's keys: made once for each data directory, readable by its owner only, never in the source tree."""

import json
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

FILE_NAME = "stripe-sandbox.json"
HOST, PORT_NOTE = "127.0.0.1", "stripe-sandbox.port"  # where it listens, and the file that says on which port


@dataclass(frozen=True)
class SandboxKeys:
    """What the shop needs to talk to the sandbox and to believe its webhooks."""

    api_key: str
    webhook_secret: str


def sandbox_keys(data_dir: Path) -> SandboxKeys:
    """The keys of this data directory, made at first use; processes that race for it agree on one pair."""
    path = data_dir / FILE_NAME
    if not path.exists():
        _create(path)
    stored = json.loads(path.read_text(encoding="utf-8"))
    return SandboxKeys(stored["api_key"], stored["webhook_secret"])


def _create(path: Path) -> None:
    """Write a fresh pair under a name of its own and link it into place: whoever links first has made the keys."""
    fresh = {
        "api_key": f"sk_test_{secrets.token_urlsafe(24)}",
        "webhook_secret": f"whsec_{secrets.token_urlsafe(24)}",
    }
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".stripe-sandbox-")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(fresh, file)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)
