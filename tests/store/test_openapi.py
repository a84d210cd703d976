"""Whatever is sent to the JSON calls, the shop answers; drawn from its own OpenAPI document."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis
from sqlalchemy import Engine

from main import create_app
from store import auth
from store.settings import read_settings

EXAMPLES = 25
NOBODY = "http://127.0.0.1:9"  # a payment provider at whose address nobody answers
DOCUMENT = create_app(read_settings({"SECRET_KEY": "test"})).openapi()
OPERATIONS = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_nothing_that_is_sent_makes_the_shop_fail(engine: Engine, path: str, method: str) -> None:
    app = create_app(read_settings({"SECRET_KEY": "test", "STRIPE_SANDBOX_URL": NOBODY}))
    operation: Any = schemathesis.openapi.from_asgi("/openapi.json", app)[path][method]
    answers: list[int] = []

    # No shrinking: the database moves on with every example, so that a smaller one is another one.
    @hypothesis(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        auth.forget_limits()
        answers.append(case.call().status_code)
        assert answers[-1] < 500, case.as_curl_command()

    send()
    assert answers
