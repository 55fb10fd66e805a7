"""What anybody can check of a set of deals, in the order that `DealFault` documents."""

from . import bls, wire
from .ceremony import deal_hash, possession_message

POINT, PROOF, SHARE, TAG = 48, 96, 32, 16
PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1


class Refused(Exception):
    """The first fault: its code, the dealer, whether the bytes prove it, and what it was."""

    def __init__(self, code, culprit, proved, detail=""):
        super().__init__(code, culprit, proved, detail)
        self.code, self.culprit, self.proved, self.detail = code, culprit, proved, detail


class Plan:
    """A plan whose offers and guardians' signatures hold under the roster."""

    def __init__(self, report, network, roster_body, plan):
        roster = wire.open_body("roster", network, roster_body)
        cosigned = wire.decode(plan)
        body = cosigned[0]
        terms = wire.open_body("plan", network, body)
        self.network, self.id = network, wire.digest("plan", body)
        self.identities = {member[0]: member[2] for member in roster[4]}
        self.m, self.t, self.dealers = terms[6], terms[7], terms[9]
        self.receivers = {receiver[0]: receiver[1] for receiver in terms[8]}
        report.same("plan: roster", terms[1], wire.digest("roster", roster_body))
        guardians = {guardian[0]: guardian[1] for guardian in roster[6]}
        valid = [
            one[0]
            for one in cosigned[1]
            if wire.verifies(guardians[one[0]], "plan", body, one[1])
        ]
        report.same("plan: guardians who signed", [one[0] for one in cosigned[1]], valid)
        report.holds("plan: quorum", len(set(valid)) >= roster[7])
        for receiver in terms[8]:
            offer, message, signature = wire.open_signed("offer", network, receiver[2])
            expected = {0: terms[0], 1: receiver[0], 2: terms[4], 3: terms[12], 4: receiver[1]}
            report.same(f"plan: offer of {receiver[0]}", offer, expected)
            valid = wire.verifies(self.identities[receiver[0]], "offer", message, signature)
            report.holds(f"plan: signature of the offer of {receiver[0]}", valid)

    @property
    def max_deal(self):
        envelope = self.m * SHARE + TAG + 64
        points = self.m * self.t * POINT + self.m * PROOF
        return points + len(self.receivers) * envelope + 512


def inspect(plan, deals):
    """Checks signed deals and gives their hashes and commitments by dealer."""
    parsed = _parse(plan, deals)
    for dealer, (deal, _) in parsed.items():
        check_counts(plan, dealer, deal)
    commitments = {dealer: decode_points(plan, dealer, deal) for dealer, (deal, _) in parsed.items()}
    for dealer, (deal, _) in parsed.items():
        for key, proof in enumerate(_split(deal[3], PROOF)):
            _decode("proof-point", dealer, f"key {key}", bls.decode_g2, proof)
    for dealer, (deal, _) in parsed.items():
        check_proofs(plan, dealer, deal)
    seen = set()
    for dealer, (deal, _) in parsed.items():
        for key, constant in enumerate(_split(deal[2], POINT)[:: plan.t]):
            if constant in seen:
                raise Refused("repeated-constant", dealer, False, f"key {key}")
            seen.add(constant)
    for dealer, (deal, _) in parsed.items():
        check_ephemerals(dealer, deal)
    _check_sums(plan, commitments)
    return {dealer: deal_hash(body) for dealer, (_, body) in parsed.items()}


def _parse(plan, deals):
    if len(deals) > len(plan.dealers):
        raise Refused("deal-count", None, False, f"{len(deals)} deals")
    for data in deals:
        if len(data) > plan.max_deal:
            raise Refused("deal-too-large", None, False, f"{len(data)} bytes")
    opened = []
    for data in deals:
        try:
            opened.append(wire.open_signed("deal", plan.network, data))
        except wire.BadForm as error:
            raise Refused("deal-form", None, False, str(error)) from error
    for deal, _, _ in opened:
        if deal[0] != plan.id:
            raise Refused("deal-of-another-ceremony", deal[1], False, deal[0].hex())
    found = {}
    for deal, body, signature in opened:
        if deal[1] not in plan.dealers:
            raise Refused("deal-of-no-dealer", deal[1], False)
        if deal[1] in found:
            raise Refused("deal-doubled", deal[1], False)
        found[deal[1]] = deal, body, signature
    for dealer in plan.dealers:
        if dealer not in found:
            raise Refused("deal-missing", dealer, False)
    for dealer in plan.dealers:
        _, body, signature = found[dealer]
        if not wire.verifies(plan.identities[dealer], "deal", body, signature):
            raise Refused("deal-signature", dealer, False)
    return {dealer: found[dealer][:2] for dealer in plan.dealers}


def check_counts(plan, dealer, deal):
    for code, data, count, size in (
        ("commitment-count", deal[2], plan.m * plan.t, POINT),
        ("proof-count", deal[3], plan.m, PROOF),
    ):
        if len(data) != count * size:
            raise Refused(code, dealer, True, f"{len(data) / size:g} of {count}")
    length = plan.m * SHARE + TAG
    expected = [(receiver, length) for receiver in plan.receivers]
    got = [(envelope[0], len(envelope[2])) for envelope in deal[4]]
    if got != expected:
        raise Refused("envelope-count", dealer, True, str(got))


def _split(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)]


def _decode(code, dealer, where, decode, data):
    try:
        return decode(data)
    except bls.BadPoint as error:
        raise Refused(code, dealer, True, f"{where}: {error}") from error


def decode_points(plan, dealer, deal):
    """For each key, the commitment's points."""
    points = [
        _decode("commitment-point", dealer, f"point {at}", bls.decode_g1, point)
        for at, point in enumerate(_split(deal[2], POINT))
    ]
    return [points[at : at + plan.t] for at in range(0, len(points), plan.t)]


def check_proofs(plan, dealer, deal):
    constants = _split(deal[2], POINT)[:: plan.t]
    for key, (constant, proof) in enumerate(zip(constants, _split(deal[3], PROOF))):
        message = possession_message(plan.id, dealer, key, constant)
        if not bls.proof_holds(constant, message, proof):
            raise Refused("proof-of-possession", dealer, True, f"key {key}")


def check_ephemerals(dealer, deal):
    for envelope in deal[4]:
        point = envelope[1]
        detail = ""
        if point[0] not in (2, 3):
            detail = f"flag {point[0]}"
        elif int.from_bytes(point[1:], "big") >= PRIME:
            detail = "coordinate above the prime"
        else:
            try:
                wire.public_key(point)
            except ValueError:
                detail = "off the curve"
        if detail:
            raise Refused("ephemeral-point", dealer, True, f"receiver {envelope[0]}: {detail}")


def _check_sums(plan, commitments):
    keys = set()
    for key in range(plan.m):
        columns = zip(*(points[key] for points in commitments.values()))
        joint = [bls.sum_points(column, bls.Z1) for column in columns]
        for degree, point in enumerate(joint):
            if bls.is_inf(point):
                raise Refused("coefficient-cancels", None, False, f"key {key} degree {degree}")
        group_key = bls.encode_g1(joint[0])
        if group_key in keys:
            raise Refused("repeated-group-key", None, False, f"key {key}")
        keys.add(group_key)
        for receiver in plan.receivers:
            if bls.is_inf(bls.evaluate_points(joint, receiver)):
                raise Refused("share-zero", None, False, f"key {key}")
