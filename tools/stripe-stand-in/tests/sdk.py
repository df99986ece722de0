"""Drives the stand-in with Stripe's official SDK: `sdk.py <base address> all|after-restart`."""

import json
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue

import stripe

BASE = sys.argv[1]
HALF_A_MONTH = 15 * 86_400

stripe.api_base = BASE
stripe.api_key = "sk_test_sdk"
# Every failure is to be seen, not retried by the SDK.
stripe.max_network_retries = 0


def control(method, path, body=None):
    """Calls the stand-in's control plane."""
    request = urllib.request.Request(
        f"{BASE}/_stand-in/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def raises(kind, call):
    """The exception of exactly this kind that the call must raise."""
    try:
        call()
    except stripe.StripeError as error:
        assert type(error) is kind, f"expected {kind.__name__}, got {error!r}"
        return error
    raise AssertionError(f"expected {kind.__name__}, got an answer")


def monthly(name, cents, **more):
    return stripe.Price.create(
        currency="usd",
        unit_amount=cents,
        recurring={"interval": "month"},
        product_data={"name": name},
        **more,
    )


def subscribe(customer, basic, premium, quantities):
    return stripe.Subscription.create(
        customer=customer.id,
        items=[
            {"price": basic.id, "quantity": quantities[0]},
            {"price": premium.id, "quantity": quantities[1]},
        ],
    )


def quantities(subscription):
    return [item["quantity"] for item in subscription["items"]["data"]]


def items_of(subscription, *numbers):
    rows = subscription["items"]["data"]
    return [{"id": row["id"], "quantity": number} for row, number in zip(rows, numbers)]


def catalogue_and_customers():
    customer = stripe.Customer.create(email="owner@example.com", metadata={"org": "o_1"})
    assert customer.id.startswith("cus_") and customer.metadata["org"] == "o_1"
    stripe.Customer.modify(customer.id, name="Acme")
    assert stripe.Customer.retrieve(customer.id).name == "Acme"
    product = stripe.Product.create(name="Seat")
    assert stripe.Product.retrieve(product.id).name == "Seat"
    assert product.id in [row.id for row in stripe.Product.list().data]
    price = stripe.Price.create(
        currency="usd",
        unit_amount=4000,
        recurring={"interval": "month"},
        product=product.id,
        lookup_key="seat",
    )
    assert [row.id for row in stripe.Price.list(lookup_keys=["seat"]).data] == [price.id]
    assert stripe.Price.retrieve(price.id, expand=["product"]).product.name == "Seat"


def two_items_in_one_call(customer, basic, premium):
    subscription = subscribe(customer, basic, premium, (3, 2))
    assert subscription.status == "active" and quantities(subscription) == [3, 2]
    assert subscription["items"]["data"][0]["current_period_end"] > subscription.created

    def update(*numbers):
        return stripe.Subscription.modify(
            subscription.id,
            items=items_of(subscription, *numbers),
            proration_behavior="create_prorations",
            idempotency_key=f"{subscription.id}:1",
        )

    first = update(5, 4)
    assert quantities(first) == [5, 4]
    stripe.Subscription.modify(subscription.id, items=items_of(subscription, 6, 6))
    again = update(5, 4)
    assert quantities(again) == [5, 4], "a replay repeats the first answer"
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert again.last_response.headers["Idempotency-Key"] == f"{subscription.id}:1"
    assert quantities(stripe.Subscription.retrieve(subscription.id)) == [6, 6]
    error = raises(stripe.IdempotencyError, lambda: update(1, 1))
    assert error.http_status == 400
    assert error.headers["Request-Id"].startswith("req_")
    found = stripe.Subscription.list(customer=customer.id, status="all").data
    assert [row.id for row in found] == [subscription.id]
    listed = stripe.SubscriptionItem.list(subscription=subscription.id)
    assert [row.quantity for row in listed.data] == [6, 6]
    return subscription


def items_by_themselves(subscription):
    extra = monthly("Extra", 700)
    item = stripe.SubscriptionItem.create(subscription=subscription.id, price=extra.id, quantity=1)
    assert stripe.SubscriptionItem.modify(item.id, quantity=2).quantity == 2
    assert stripe.SubscriptionItem.retrieve(item.id).price.id == extra.id
    assert stripe.SubscriptionItem.delete(item.id, proration_behavior="none").deleted
    missing = raises(stripe.InvalidRequestError, lambda: stripe.SubscriptionItem.retrieve(item.id))
    assert (missing.http_status, missing.code) == (404, "resource_missing")


def errors(customer, subscription):
    key = {"api_key": "sk_live_nothing"}
    assert raises(stripe.AuthenticationError, lambda: stripe.Customer.list(**key)).http_status == 401
    cases = [
        (404, "resource_missing", "id", lambda: stripe.Subscription.retrieve("sub_x")),
        (400, "parameter_unknown", "nmae", lambda: stripe.Customer.create(nmae="x")),
        (400, "parameter_missing", "customer", lambda: stripe.Subscription.create(items=[])),
        (
            400,
            "parameter_invalid_integer",
            "items[0][quantity]",
            lambda: stripe.Subscription.modify(subscription.id, items=items_of(subscription, -1)),
        ),
        (
            400,
            "resource_missing",
            "items[0][id]",
            lambda: stripe.Subscription.modify(subscription.id, items=[{"id": "si_x"}]),
        ),
        (
            400,
            "resource_missing",
            "items[0][price]",
            lambda: stripe.Subscription.create(customer=customer.id, items=[{"price": "price_x"}]),
        ),
    ]
    for status, code, param, call in cases:
        error = raises(stripe.InvalidRequestError, call)
        assert (error.http_status, error.code, error.param) == (status, code, param), error


def faults(subscription):
    def update(key):
        return stripe.Subscription.modify(
            subscription.id, metadata={"seen": key}, idempotency_key=key
        )

    for kind in ("429", "lock_timeout"):
        control("POST", "faults", {"kind": kind, "method": "POST", "path_prefix": "/v1/subscriptions"})
        assert raises(stripe.RateLimitError, lambda: update(kind)).http_status == 429
        assert update(kind).metadata["seen"] == kind
    control("POST", "faults", {"kind": "409"})
    busy = raises(stripe.APIError, lambda: update("busy"))
    assert (busy.http_status, busy.error.code) == (409, "idempotency_key_in_use")
    control("POST", "faults", {"kind": "500"})
    for _ in range(2):
        assert raises(stripe.APIError, lambda: update("stored")).http_status == 500
    control("POST", "faults", {"kind": "500_before"})
    raises(stripe.APIError, lambda: update("before"))
    assert update("before").metadata["seen"] == "before"
    control("POST", "faults", {"kind": "cut_before"})
    raises(stripe.APIConnectionError, lambda: update("cut"))
    assert stripe.Subscription.retrieve(subscription.id).metadata["seen"] == "before"
    control("POST", "faults", {"kind": "cut_after"})
    raises(stripe.APIConnectionError, lambda: update("cut"))
    assert stripe.Subscription.retrieve(subscription.id).metadata["seen"] == "cut"
    assert update("cut").last_response.headers["Idempotent-Replayed"] == "true"
    control("POST", "faults", {"kind": "slow_ms", "ms": 10})
    update("slow")
    control("POST", "faults", {"kind": "429", "per_mille": 500, "seed": 3})
    assert control("DELETE", "faults") == {"faults": []}


def paging():
    made = [stripe.Customer.create(description="paged").id for _ in range(7)]
    walked = stripe.Customer.list(limit=3).auto_paging_iter()
    assert [row.id for row in walked if row.description == "paged"] == made[::-1]
    newest = stripe.Customer.list(limit=2)
    assert newest.has_more and [row.id for row in newest.data] == made[:-3:-1]
    assert [row.id for row in newest.next_page().data] == made[-3:-5:-1]


def prorations_and_previews(basic, premium):
    customer = stripe.Customer.create()
    subscription = subscribe(customer, basic, premium, (2, 1))
    control("POST", "clock", {"advance_seconds": HALF_A_MONTH})
    preview = stripe.Invoice.create_preview(
        subscription=subscription.id,
        subscription_details={
            "items": items_of(subscription, 4, 1),
            "proration_behavior": "create_prorations",
        },
    )
    amounts = [line.amount for line in preview.lines.data]
    assert amounts[0] < 0 < amounts[1] and amounts[2:] == [16_000, 10_000], amounts
    assert preview.total == preview.amount_due == sum(amounts)
    assert preview.lines.data[0].parent.subscription_item_details.proration
    stripe.Subscription.modify(subscription.id, items=items_of(subscription, 4, 1))
    pending = stripe.InvoiceItem.list(customer=customer.id, pending=True)
    assert sorted(row.amount for row in pending.data) == sorted(amounts[:2])
    end = subscription["items"]["data"][0]["current_period_end"]
    control("POST", "clock", {"now": end})
    renewed = stripe.Subscription.retrieve(subscription.id, expand=["latest_invoice"])
    assert renewed["items"]["data"][0]["current_period_start"] == end
    # One second may pass between the preview and the change: two lines, one cent each.
    assert abs(renewed.latest_invoice.total - preview.total) <= 2
    assert renewed.latest_invoice.billing_reason == "subscription_cycle"
    assert not stripe.InvoiceItem.list(customer=customer.id, pending=True).data


def statuses(subscription):
    path = f"subscriptions/{subscription.id}/status"
    assert control("POST", path, {"status": "past_due"})["status"] == "past_due"
    assert stripe.Subscription.list(status="past_due").data[0].id == subscription.id
    control("POST", path, {"status": "active"})
    newest = stripe.Event.list(type="customer.subscription.updated").data[0]
    assert newest.data.previous_attributes["status"] == "past_due"


def webhooks(subscription):
    received = Queue()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.put((body, self.headers["Stripe-Signature"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    hook = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    endpoint = stripe.WebhookEndpoint.create(
        url=f"http://127.0.0.1:{hook.server_port}/webhooks/stripe",
        enabled_events=["customer.subscription.updated", "customer.subscription.deleted"],
    )
    assert endpoint.secret.startswith("whsec_")
    stripe.Subscription.modify(subscription.id, metadata={"hook": "1"})
    payload, signature = received.get(timeout=30)
    # The stand-in's clock runs ahead of ours by now, and signatures carry its time.
    tolerance = control("GET", "clock")["now"]
    event = stripe.Webhook.construct_event(payload, signature, endpoint.secret, tolerance)
    assert event.type == "customer.subscription.updated"
    assert event.data.object.metadata["hook"] == "1"
    assert stripe.Event.retrieve(event.id).data.object.id == subscription.id
    raises(
        stripe.SignatureVerificationError,
        lambda: stripe.Webhook.construct_event(payload, signature, "whsec_other", tolerance),
    )
    stripe.WebhookEndpoint.delete(endpoint.id)
    hook.shutdown()


def cancellation(customer, basic, premium):
    subscription = subscribe(customer, basic, premium, (1, 1))
    canceled = stripe.Subscription.cancel(subscription.id)
    assert canceled.status == "canceled" and canceled.ended_at
    error = raises(
        stripe.InvalidRequestError,
        lambda: stripe.Subscription.modify(subscription.id, items=items_of(subscription, 2)),
    )
    assert error.http_status == 400
    assert raises(
        stripe.InvalidRequestError, lambda: stripe.Subscription.cancel(subscription.id)
    ).http_status == 404


def everything():
    catalogue_and_customers()
    customer = stripe.Customer.create(description="kept")
    basic, premium = monthly("Basic", 4_000), monthly("Premium", 10_000)
    subscription = two_items_in_one_call(customer, basic, premium)
    items_by_themselves(subscription)
    errors(customer, subscription)
    faults(subscription)
    paging()
    prorations_and_previews(basic, premium)
    statuses(subscription)
    webhooks(subscription)
    cancellation(customer, basic, premium)
    log = control("GET", "requests")["requests"]
    assert any(entry["status"] is None and entry["fault"] == "cut_after" for entry in log)


def after_restart():
    kept = [row for row in stripe.Customer.list().auto_paging_iter() if row.description == "kept"]
    subscription = stripe.Subscription.list(customer=kept[0].id).data[0]
    assert quantities(subscription) == [6, 6] and subscription.metadata["hook"] == "1"
    # The clock is part of the account: its period is still the current one.
    assert subscription["items"]["data"][0]["current_period_end"] > control("GET", "clock")["now"]


{"all": everything, "after-restart": after_restart}[sys.argv[2]]()
