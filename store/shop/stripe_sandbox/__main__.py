"""Runs the sandbox: `python -m store.shop.stripe_sandbox --data-dir var --port 8110 --webhook-url URL`."""

import argparse
import os
import sys
from pathlib import Path

from store.shop.stripe_sandbox.keys import HOST, sandbox_keys
from store.shop.stripe_sandbox.server import serve


def main() -> int:
    """Read the command line and serve; the keys come from the data directory, never from a command line."""
    parser = argparse.ArgumentParser(prog="store.shop.stripe_sandbox", description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0, help="0: the last one used here, or a free one")
    parser.add_argument("--webhook-url", required=True, help="where the shop takes signed events")
    parser.add_argument("--merchant", default="Atelier", help="the name on the pay page")
    parser.add_argument("--with-parent", action="store_true", help="stop when standard input ends")
    args = parser.parse_args()
    if os.environ.get("APP_ENV") == "production":
        sys.stderr.write("The payment sandbox takes no real money: it never runs with APP_ENV=production.\n")
        return 1
    keys = sandbox_keys(args.data_dir)
    try:
        serve(
            args.data_dir,
            args.port,
            args.webhook_url,
            keys.webhook_secret,
            keys.api_key,
            merchant=args.merchant,
            with_parent=args.with_parent,
        )
    except OSError as error:
        sys.stderr.write(f"The payment sandbox cannot use port {args.port} of {HOST}: {error.strerror}.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
