"""One example of every message: canonical form, tag, field numbers, signatures, what they share."""

from hashlib import sha256

from . import ceremony, wire
from .inspect import Plan

# Signed messages: the field numbers of the payload, and the field that names the signer.
SIGNED = {
    "offer": (5, 1),
    "deal": (5, 1),
    "confirmation": (5, 1),
    "activation": (3, 1),
    "complaint": (5, 1),
    "opening": (5, 1),
}
RECORDS = ["offered", "accepted", "dealt", "signed", None, None, "active"]


def check(report, vector):
    network = bytes.fromhex(vector["network"])
    data = {name: bytes.fromhex(one) for name, one in vector.items() if name in SIGNED}
    plan_bytes = bytes.fromhex(vector["plan"])
    plan = Plan(report, network, bytes.fromhex(vector["roster_body"]), plan_bytes)
    payloads = {}
    for tag, (fields, signer) in SIGNED.items():
        payload, body, signature = wire.open_signed(tag, network, data[tag])
        report.same(f"{tag}: field numbers", list(payload), list(range(fields)))
        valid = wire.verifies(plan.identities[payload[signer]], tag, body, signature)
        report.holds(f"{tag}: signature", valid)
        if tag != "offer":
            report.same(f"{tag}: ceremony", payload[0], plan.id)
        payloads[tag] = payload
    _check_documents(report, vector, network, plan, plan_bytes, payloads, data)
    _check_frames(report, vector, plan)
    _check_records(report, vector, network, plan, plan_bytes, data)


def _check_documents(report, vector, network, plan, plan_bytes, payloads, data):
    certificate = wire.open_body("certificate", network, bytes.fromhex(vector["certificate"]))
    group = wire.open_body("group", network, bytes.fromhex(vector["group"]))
    report.same("certificate: ceremony", certificate[0], plan.id)
    report.same("certificate: first confirmation", certificate[1][0], data["confirmation"])
    report.same("group: plan", group[0], plan_bytes)
    report.same("group: confirmations", group[4], certificate[1])
    report.same("group: deals", group[1], payloads["confirmation"][3])
    _, body, _ = wire.open_signed("deal", network, data["deal"])
    report.same("group: first deal", group[1][0], ceremony.deal_hash(body))
    keys = [group[2][at : at + 48] for at in range(0, len(group[2]), 48)]
    shares = [group[3][at : at + 48] for at in range(0, len(group[3]), 48)]
    n = len(plan.receivers)
    shares = [shares[at : at + n] for at in range(0, len(shares), n)]
    transcript = ceremony.transcript(plan.id, group[1], keys, shares)
    for tag in ("confirmation", "activation"):
        report.same(f"{tag}: transcript", payloads[tag][2], transcript)


def _check_frames(report, vector, plan):
    """Requests and replies: a number for the kind and an array of the fields."""
    requests = [
        ["wire", 1],
        [b"plan"],
        [plan.id, [b"deal"]],
        [b"certificate"],
        [b"complaint"],
        [plan.id],
        [b"plan", [b"deal"], b"certificate"],
    ]
    active = 3
    refusal = {
        0: "identity-signature",
        1: "the HSM's signature is not by this member's identity key in the roster",
        3: False,
    }
    replies = [
        [b"offer"],
        [b"deal"],
        [plan.id],
        [b"confirmation"],
        [b"complaint"],
        [b"activation"],
        [b"opening"],
        [[{0: plan.id, 1: "wire", 2: 1, 3: active}]],
        [refusal],
    ]
    for name, frames in (("requests", requests), ("replies", replies)):
        stored = [bytes.fromhex(one) for one in vector[name]]
        made = [wire.encode([kind, fields]) for kind, fields in enumerate(frames)]
        report.same(f"{name}: number", len(stored), len(made))
        for kind, (one, other) in enumerate(zip(stored, made)):
            report.same(f"{name}[{kind}]", one, other)


def _check_records(report, vector, network, plan, plan_bytes, data):
    records = [
        wire.open_body("ceremony-record", network, bytes.fromhex(one)) for one in vector["records"]
    ]
    kinds = [RECORDS[kind] for kind, _ in records]
    report.same("records: kinds", kinds, ["offered", "accepted", "dealt", "signed", "active"])
    offered, accepted, dealt, signed, active = (fields for _, fields in records)
    report.same("records: offer", offered, [data["offer"]])
    plan_hash = sha256(plan_bytes).digest()
    report.same("records: accepted", accepted, [plan.id, "wire", 1, True, plan_hash])
    _, body, _ = wire.open_signed("deal", network, data["deal"])
    hashes = [sha256(data["deal"]).digest(), ceremony.deal_hash(body)]
    report.same("records: dealt", dealt, [plan.id, *hashes])
    report.same("records: signed", signed[:2], [plan.id, data["confirmation"]])
    group_hash = sha256(bytes.fromhex(vector["group"])).digest()
    report.same("records: active", active, [plan.id, data["activation"], group_hash])
