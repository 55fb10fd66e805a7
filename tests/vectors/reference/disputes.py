"""Complaints with the dealer's opening: who is convicted, and of what."""

from cryptography.exceptions import InvalidTag

from . import bls, ceremony, wire
from .inspect import SHARE, Plan, check_counts, check_ephemerals, check_proofs, decode_points

# The verdict that each name promises.
NAMES = {
    "4 a wrong share": "share-off-polynomial",
    "5 an envelope that does not open": "envelope-does-not-open",
    "14 a share of zero": "share-not-a-scalar",
    "7 a false complaint": "false-complaint",
}


def check(report, vector):
    network = bytes.fromhex(vector["network"])
    plan = Plan(report, network, bytes.fromhex(vector["roster_body"]), bytes.fromhex(vector["plan"]))
    for case in vector["disputes"]:
        code, culprit = _judge(report, plan, case)
        report.same(f"{case['name']}: code", case["code"], code)
        report.same(f"{case['name']}: verdict of that name", NAMES.get(case["name"]), code)
        report.same(f"{case['name']}: culprit", case["culprit"], f"member {culprit}")


def _judge(report, plan, case):
    name = case["name"]
    opened = {
        tag: wire.open_signed(tag, plan.network, bytes.fromhex(case[tag]))
        for tag in ("deal", "complaint", "opening")
    }
    deal, complaint, opening = (payload for payload, _, _ in opened.values())
    dealer, receiver = deal[1], complaint[1]
    signers = {"deal": dealer, "complaint": receiver, "opening": dealer}
    for tag, (_, body, signature) in opened.items():
        valid = wire.verifies(plan.identities[signers[tag]], tag, body, signature)
        report.holds(f"{name}: signature of the {tag}", valid)
    hashed = ceremony.deal_hash(opened["deal"][1])
    report.same(f"{name}: complaint", list(complaint.values())[:4], [plan.id, receiver, dealer, hashed])
    report.same(f"{name}: opening", list(opening.values())[:4], [plan.id, dealer, receiver, hashed])
    check_counts(plan, dealer, deal)
    commitments = decode_points(plan, dealer, deal)
    check_proofs(plan, dealer, deal)
    check_ephemerals(dealer, deal)
    envelope = next(one for one in deal[4] if one[0] == receiver)
    report.same(f"{name}: E_ij of the opening", wire.compressed(opening[4]), envelope[1])
    return _open(plan, dealer, receiver, opening[4], envelope, commitments)


def _open(plan, dealer, receiver, secret, envelope, commitments):
    shared = wire.shared_secret(secret, plan.receivers[receiver])
    key = ceremony.envelope_key(shared, plan.id, dealer, receiver, envelope[1])
    try:
        plaintext = ceremony.unseal(key, plan.id, envelope[2])
    except InvalidTag:
        return "envelope-does-not-open", dealer
    shares = [
        int.from_bytes(plaintext[at : at + SHARE], "big")
        for at in range(0, len(plaintext), SHARE)
    ]
    if not all(0 < share < bls.ORDER for share in shares):
        return "share-not-a-scalar", dealer
    for share, points in zip(shares, commitments, strict=True):
        if not bls.eq(bls.multiply(bls.G1, share), bls.evaluate_points(points, receiver)):
            return "share-off-polynomial", dealer
    return "false-complaint", receiver
