"""The shop's own small Stripe-compatible sandbox: real HTTP, real state, no real money; driven by the real SDK only.

It runs as one child process of the shop and keeps its state in `stripe-sandbox.db` under the data directory, so that
neither its own death nor the shop's loses a payment or a webhook. It refuses to run in production.

Tests make it misbehave over its control path, with the API key: `POST /_sandbox/faults` (`kind` delay, error or cut,
`match` such as "POST /v1/refunds", `times`, `seconds`), `POST /_sandbox/knobs` (webhooks held, delayed, doubled or
turned round, and the clock: see faults.py), `GET /_sandbox/deliveries`. tests/store/shop/payment_rig.py does all that.
"""

from store.shop.stripe_sandbox.keys import SandboxKeys, sandbox_keys
from store.shop.stripe_sandbox.process import SandboxProcess, running, start

__all__ = ["SandboxKeys", "SandboxProcess", "running", "sandbox_keys", "start"]
