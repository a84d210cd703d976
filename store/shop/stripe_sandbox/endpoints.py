"""The endpoints themselves: customers, checkout sessions, payment intents and methods, refunds and events."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from store.shop.stripe_sandbox import checkout, disputing
from store.shop.stripe_sandbox import params as form
from store.shop.stripe_sandbox.charging import card_of, decline, fail, new_customer, new_intent, succeed
from store.shop.stripe_sandbox.expand import line_items
from store.shop.stripe_sandbox.ledger import Body
from store.shop.stripe_sandbox.params import Params
from store.shop.stripe_sandbox.problems import StripeProblem, missing, wrong
from store.shop.stripe_sandbox.refunding import refund
from store.shop.stripe_sandbox.sandbox import Sandbox

INTENT_ACCEPTS = (
    "amount",
    "currency",
    "customer",
    "payment_method",
    "allowed_payment_method_types",
    "off_session",
    "confirm",
    "description",
    "metadata",
    "receipt_email",
    "setup_future_usage",
    "expand",
)
REASONS = ("duplicate", "fraudulent", "requested_by_customer")


@dataclass(frozen=True)
class Answer:
    """What an endpoint answers; a declined card is an answer of 402, whose traces are kept."""

    body: Body
    status: int = 200


Endpoint = Callable[[Sandbox, Params, Mapping[str, str]], Answer]


def _create_customer(box: Sandbox, params: Params, _path: Mapping[str, str]) -> Answer:
    form.only(params, ("email", "name", "phone", "description", "metadata", "expand"))
    fields: dict[str, Any] = {name: form.text(params, name) for name in ("email", "name", "phone", "description")}
    return Answer(box.shown(new_customer(box, fields | {"metadata": form.metadata(params)})))


def _create_session(box: Sandbox, params: Params, _path: Mapping[str, str]) -> Answer:
    return Answer(box.shown(checkout.create(box, params)))


def _retrieve_session(box: Sandbox, params: Params, path: Mapping[str, str]) -> Answer:
    form.only(params, ("expand",))
    return Answer(box.shown(checkout.current(box, path["id"])))


def _expire_session(box: Sandbox, params: Params, path: Mapping[str, str]) -> Answer:
    form.only(params, ("expand",))
    return Answer(box.shown(checkout.expire(box, checkout.current(box, path["id"]))))


def _session_lines(box: Sandbox, params: Params, path: Mapping[str, str]) -> Answer:
    form.only(params, ("limit", "starting_after", "ending_before", "expand"))
    return Answer(line_items(box, path["id"]))


def _create_intent(box: Sandbox, params: Params, _path: Mapping[str, str]) -> Answer:
    form.only(params, INTENT_ACCEPTS)
    amount = form.charge_amount(form.integer(params, "amount"))
    currency = form.currency(params)
    customer, method_id = form.text(params, "customer"), form.text(params, "payment_method")
    if customer:
        box.get("customer", customer, "customer")
    method = box.get("payment_method", method_id, "payment_method") if method_id else None
    if method and method["customer"] not in (None, customer):
        message = "The provided PaymentMethod belongs to another Customer: send that `customer` along."
        raise wrong("payment_method", message)
    confirm, off_session = form.flag(params, "confirm"), form.flag(params, "off_session")
    if off_session and not confirm:
        raise wrong("off_session", "`off_session` can only be sent together with `confirm=true`.")
    if confirm and method is None:
        raise missing("payment_method")
    fields = {
        "customer": customer,
        "description": form.text(params, "description"),
        "metadata": form.metadata(params),
        "receipt_email": form.text(params, "receipt_email"),
        "setup_future_usage": form.one_of(params, "setup_future_usage", ("off_session", "on_session")),
    }
    intent = new_intent(box, amount, currency, fields)
    if not confirm or method is None:
        if method:
            intent.update(status="requires_confirmation", payment_method=method["id"])
            box.ledger.save(intent)
        return Answer(box.shown(intent))
    return _charge_alone(box, intent, method)


def _charge_alone(box: Sandbox, intent: Body, method: Body) -> Answer:
    """Charge a saved card while its holder is away."""
    card = card_of(method)
    if method["customer"] is None:
        message = "This PaymentMethod was not set up for future use: it has no customer."
        raise wrong("payment_method", message, "payment_method_unexpected_state")
    if card.behaviour == "pays" or method.get("_authenticated"):
        succeed(box, intent, method)
        return Answer(box.shown(intent))
    if card.behaviour in ("declines", "declines_later"):
        decline(box, intent, method)
    else:
        message = "Your card was declined. This transaction requires authentication."
        fail(box, intent, method, "authentication_required", message, "authentication_required")
    error = dict(intent["last_payment_error"]) | {"payment_intent": box.shown(intent)}
    return Answer({"error": error}, status=402)


def _create_refund(box: Sandbox, params: Params, _path: Mapping[str, str]) -> Answer:
    form.only(params, ("payment_intent", "charge", "amount", "reason", "metadata", "expand"))
    reference = form.text(params, "payment_intent")
    if reference is None:
        charge = form.text(params, "charge")
        if charge is None:
            message = "One of the following params should be provided for this request: payment_intent or charge."
            raise StripeProblem(400, message, code="parameter_missing")
        reference = box.get("charge", charge, "charge")["payment_intent"]
    intent = box.get("payment_intent", str(reference), "payment_intent")
    reason = form.one_of(params, "reason", REASONS)
    done = refund(box, intent, form.integer(params, "amount"), reason, form.metadata(params))
    return Answer(box.shown(done))


def _retrieve(kind: str) -> Endpoint:
    def retrieve(box: Sandbox, params: Params, path: Mapping[str, str]) -> Answer:
        form.only(params, ("expand",))
        return Answer(box.shown(box.get(kind, path["id"])))

    return retrieve


def _created(params: Params) -> dict[str, str]:
    """The filter by time; of Stripe's four comparisons the sandbox knows the one that the shop uses."""
    given = params.get("created")
    if given is None:
        return {}
    if not isinstance(given, dict) or set(given) != {"gte"}:
        raise wrong("created", "The sandbox filters by created[gte] only.")
    return {"created[gte]": str(form.integer(given, "gte"))}


def _answer_dispute(box: Sandbox, params: Params, path: Mapping[str, str]) -> Answer:
    return Answer(box.shown(disputing.answer(box, box.get("dispute", path["id"]), params)))


def _close_dispute(box: Sandbox, params: Params, path: Mapping[str, str]) -> Answer:
    form.only(params, ("expand",))
    return Answer(box.shown(disputing.close(box, box.get("dispute", path["id"]))))


def _list(kind: str, url: str, filters: tuple[str, ...]) -> Endpoint:
    def listed(box: Sandbox, params: Params, path: Mapping[str, str]) -> Answer:
        form.only(params, (*filters, "created", "limit", "starting_after", "ending_before", "expand"))
        limit = form.integer(params, "limit") or 10
        if not 1 <= limit <= 100:
            raise wrong("limit", "Invalid integer: must be between 1 and 100")
        where = {name: value for name in filters if (value := form.text(params, name)) is not None} | dict(path)
        where |= _created(params)
        pages = {name: form.text(params, name) for name in ("starting_after", "ending_before")}
        for name, reference in pages.items():
            if reference:
                box.get(kind, reference, name)
        found = box.ledger.newest(kind, where, limit + 1, after=pages["starting_after"], before=pages["ending_before"])
        more = len(found) > limit
        if more:
            found = found[1:] if pages["ending_before"] else found[:limit]
        body = {
            "object": "list",
            "data": [box.shown(one) for one in found],
            "has_more": more,
            "url": url.format(**path),
        }
        return Answer(body)

    return listed


_SESSIONS, _INTENTS, _METHODS = "/v1/checkout/sessions", "/v1/payment_intents", "/v1/payment_methods"
_CUSTOMERS_METHODS = "/v1/customers/{customer}/payment_methods"
ALL: tuple[tuple[str, str, Endpoint], ...] = (
    ("POST", "/v1/customers", _create_customer),
    ("GET", "/v1/customers", _list("customer", "/v1/customers", ("email",))),
    ("GET", "/v1/customers/{id}", _retrieve("customer")),
    ("GET", _CUSTOMERS_METHODS, _list("payment_method", _CUSTOMERS_METHODS, ("type",))),
    ("POST", _SESSIONS, _create_session),
    ("GET", _SESSIONS, _list("checkout.session", _SESSIONS, ("payment_intent", "customer", "status"))),
    ("GET", _SESSIONS + "/{id}", _retrieve_session),
    ("POST", _SESSIONS + "/{id}/expire", _expire_session),
    ("GET", _SESSIONS + "/{id}/line_items", _session_lines),
    ("POST", _INTENTS, _create_intent),
    ("GET", _INTENTS, _list("payment_intent", _INTENTS, ("customer",))),
    ("GET", _INTENTS + "/{id}", _retrieve("payment_intent")),
    ("GET", _METHODS, _list("payment_method", _METHODS, ("customer", "type"))),
    ("GET", _METHODS + "/{id}", _retrieve("payment_method")),
    ("POST", "/v1/refunds", _create_refund),
    ("GET", "/v1/refunds", _list("refund", "/v1/refunds", ("payment_intent", "charge"))),
    ("GET", "/v1/refunds/{id}", _retrieve("refund")),
    ("GET", "/v1/disputes", _list("dispute", "/v1/disputes", ("payment_intent", "charge"))),
    ("GET", "/v1/disputes/{id}", _retrieve("dispute")),
    ("POST", "/v1/disputes/{id}", _answer_dispute),
    ("POST", "/v1/disputes/{id}/close", _close_dispute),
    ("GET", "/v1/events", _list("event", "/v1/events", ("type",))),
    ("GET", "/v1/events/{id}", _retrieve("event")),
    ("GET", "/v1/charges/{id}", _retrieve("charge")),
)
