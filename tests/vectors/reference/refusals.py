"""Sets of deals that must be refused: the code, the culprit, and that the named fault is there."""

from hashlib import sha256

from . import bls, wire
from .ceremony import possession_message
from .inspect import POINT, PROOF, Plan, Refused, inspect

ATTACKER = 2
OTHER_CEREMONY = bytes([7]) * 32
# What the refusal must be about, for the names that say more than the code does.
DETAILS = {
    "a point without the flag of compression": "flag of compression missing",
    "a point with the flag of infinity": "flag of infinity on a finite point",
    "a coordinate above the field prime": "coordinate above the field prime",
    "infinity": "0: infinity",
    "infinity with a sign": "infinity with a sign",
    "a point outside the subgroup": "outside the subgroup",
    "infinity as a higher coefficient": "point 2: infinity",
    "an ephemeral key off the curve": "off the curve",
    "an ephemeral coordinate above the prime": "coordinate above the prime",
    "an ephemeral key in compact form": "flag 5",
    "an ephemeral key with the uncompressed flag": "flag 4",
    "an ephemeral key at infinity": "flag 0",
    "a commitment more: the threshold would rise": "7 of 6",
    "a commitment less": "5 of 6",
    "no commitments": "0 of 6",
    "a broken commitment": "5.97917 of 6",
    "a proof more": "3 of 2",
    "a proof less": "1 of 2",
    "an envelope less": "[(1, 80), (2, 80), (3, 80), (4, 80)]",
    "an envelope more": "(5, 80), (1, 80)]",
    "envelopes of two receivers swapped with their names": "[(4, 80), (2, 80), (3, 80), (1, 80)",
    "a share of the wrong length": "(4, 81)",
    "group key at infinity": "degree 0",
    "a deal too many": "6 deals",
    "a truncated deal": "no CBOR",
    "a deal of another ceremony": OTHER_CEREMONY.hex(),
    "a deal of another network": "another network",
    "a deal longer than any of this plan": "4000 bytes",
}


def check(report, vector):
    network = bytes.fromhex(vector["network"])
    plan_bytes = bytes.fromhex(vector["plan"])
    plan = Plan(report, network, bytes.fromhex(vector["roster_body"]), plan_bytes)
    honest = [bytes.fromhex(deal) for deal in vector["honest_deals"]]
    report.same("honest deals: dealers", list(inspect(plan, honest)), plan.dealers)
    for case in vector["refusals"]:
        deals = [
            honest[deal - 1] if isinstance(deal, int) else bytes.fromhex(deal)
            for deal in case["deals"]
        ]
        _check_case(report, plan, case, deals)


def _check_case(report, plan, case, deals):
    name = case["name"]
    try:
        inspect(plan, deals)
    except Refused as refused:
        for field in ("code", "culprit", "proved"):
            report.same(f"{name}: {field}", case[field], getattr(refused, field))
        what = name.split(" ", 1)[1]
        report.holds(f"{name}: a fault that is looked for", what in DETAILS or what in MUTATIONS)
        if what in DETAILS:
            found = DETAILS[what] in refused.detail
            report.same(f"{name}: {refused.detail}: contains {DETAILS[what]}", True, found)
        if what in MUTATIONS:
            report.holds(f"{name}: the mutation", MUTATIONS[what](plan, deals))
    else:
        report.same(f"{name}: code", case["code"], None)


def _text_scalar(text):
    """The test's scalars: SHA-256 of a text."""
    return int.from_bytes(sha256(text.encode()).digest(), "big") % bls.ORDER


def _attackers(plan, deals):
    return wire.open_signed("deal", plan.network, deals[ATTACKER - 1])[0]


def _constants(plan, deals, key):
    opened = [wire.open_signed("deal", plan.network, deal)[0] for deal in deals]
    at = key * plan.t * POINT
    return [bls.decode_g1(deal[2][at : at + POINT]) for deal in opened]


def _rogue(plan, deals):
    total = bls.sum_points(_constants(plan, deals, 0), bls.Z1)
    return bls.eq(total, bls.multiply(bls.G1, _text_scalar("the attacker's own key")))


def _proof_for(ceremony, dealer, key):
    """The first proof is right for other values than those of the deal."""

    def mutated(plan, deals):
        deal, secret = _attackers(plan, deals), _text_scalar(f"forged {ATTACKER} 0 0")
        message = possession_message(ceremony or plan.id, dealer, key, deal[2][:POINT])
        proof = bls.multiply(bls.hash_to_g2(message, bls.POP_DST), secret)
        return deal[3][:PROOF] == bls.encode_g2(proof)

    return mutated


def _ethereum(plan, deals):
    hashed = bls.hash_to_g2(sha256(b"any root").digest(), bls.ETHEREUM_DST)
    proof = bls.multiply(hashed, _text_scalar(f"forged {ATTACKER} 0 0"))
    return _attackers(plan, deals)[3][:PROOF] == bls.encode_g2(proof)


def _repeated(plan, deals):
    constants = _constants(plan, deals, 0)
    return bls.eq(constants[0], constants[ATTACKER - 1])


def _equal_keys(plan, deals):
    first, second = (bls.sum_points(_constants(plan, deals, key), bls.Z1) for key in (0, 1))
    return bls.eq(first, second)


def _signed_by_attacker(place):
    def mutated(plan, deals):
        _, body, signature = wire.open_signed("deal", plan.network, deals[place])
        return wire.verifies(plan.identities[ATTACKER], "deal", body, signature)

    return mutated


def _altered(plan, deals):
    """The last byte of the signature was changed by its last bit."""
    data = bytearray(deals[ATTACKER - 1])
    data[-1] ^= 1
    _, body, signature = wire.open_signed("deal", plan.network, bytes(data))
    return wire.verifies(plan.identities[ATTACKER], "deal", body, signature)


MUTATIONS = {
    "rogue key: the constant answers the others'": _rogue,
    "proof of another ceremony": _proof_for(OTHER_CEREMONY, ATTACKER, 0),
    "proof of another dealer": _proof_for(None, 1, 0),
    "proof of another key": _proof_for(None, ATTACKER, 1),
    "an Ethereum signature as proof": _ethereum,
    "equal commitments in two deals": _repeated,
    "equal group keys in a batch": _equal_keys,
    "one deal dropped": lambda plan, deals: len(deals) == len(plan.dealers) - 1,
    "one deal doubled": lambda plan, deals: deals[0] == deals[1],
    "a deal of a member not in the plan": _signed_by_attacker(ATTACKER - 1),
    "a deal of index 0": _signed_by_attacker(ATTACKER - 1),
    "a deal in another member's name": _signed_by_attacker(0),
    "a deal of another ceremony": _signed_by_attacker(ATTACKER - 1),
    "a deal altered on the way": _altered,
}
