"""A finished DKG or import: everything in the vector again from its inputs."""

from . import bls, ceremony, wire

# The plans of the vectors: class hot, no time limit, all duties.
HOT, FIRST_EPOCH = 0, 1
DKG, IMPORT = 0, 1
QUORUM = 2


def check(report, vector):
    Group(report, vector).check()


def raw(text):
    return bytes.fromhex(text)


def scalar(number):
    return number.to_bytes(32, "big")


class Group:
    def __init__(self, report, vector):
        self.report, self.vector = report, vector
        self.network, self.cluster = raw(vector["network"]), raw(vector["cluster"])
        self.t, self.m = vector["threshold"], vector["keys"]
        self.members = vector["members"]
        self.indices = [member["index"] for member in self.members]
        self.imported = [raw(key) for key in vector.get("imported_keys", [])]
        self.polynomials = {}

    def check(self):
        self.check_roster()
        self.check_plan()
        hashes = [self.check_deal(deal) for deal in self.vector["deals"]]
        self.check_shares()
        points = self.public_points()
        transcript = ceremony.transcript(self.id, hashes, *points)
        self.report.same("transcript", raw(self.vector["transcript"]), transcript)
        confirmations = self.check_members(transcript, hashes)
        self.check_documents(hashes, points, confirmations)
        self.check_signing()

    def check_roster(self):
        body = raw(self.vector["roster_body"])
        roster = wire.open_body("roster", self.network, body)
        self.report.same("roster_hash", raw(self.vector["roster_hash"]), wire.digest("roster", body))
        self.report.same("roster_body cluster", roster[0], self.cluster)
        self.report.same(
            "roster_body members",
            [(member[0], member[1], member[2]) for member in roster[4]],
            [
                (member["index"], member["name"], wire.compressed(raw(member["identity_secret"])))
                for member in self.members
            ],
        )
        self.report.same(
            "roster_body guardians",
            [(guardian[0], guardian[1]) for guardian in roster[6]],
            [(one["name"], wire.compressed(raw(one["secret"]))) for one in self.vector["guardians"]],
        )
        self.report.same("roster_body quorum", roster[7], QUORUM)
        if self.imported:
            dealer = self.vector["import_dealer"]
            found = [client[2] for client in roster[5] if client[0] == dealer["name"]]
            key = wire.compressed(raw(dealer["identity_secret"]))
            self.report.same("roster_body import dealer", found, [key])

    def offer(self, member):
        payload = {
            0: self.cluster,
            1: member["index"],
            2: self.vector["group"],
            3: FIRST_EPOCH,
            4: wire.compressed(raw(member["encryption_secret"])),
        }
        return wire.signed(raw(member["identity_secret"]), "offer", self.network, payload)

    def check_plan(self):
        receivers = []
        for member in self.members:
            key = wire.compressed(raw(member["encryption_secret"]))
            where = f"members[{member['index']}].encryption_key"
            self.report.same(where, raw(member["encryption_key"]), key)
            receivers.append({0: member["index"], 1: key, 2: self.offer(member)})
        plan = {
            0: self.cluster,
            1: raw(self.vector["roster_hash"]),
            2: raw(self.vector["nonce"]),
            3: IMPORT if self.imported else DKG,
            4: self.vector["group"],
            5: HOT,
            6: self.m,
            7: self.t,
            8: receivers,
            9: [] if self.imported else self.indices,
            12: FIRST_EPOCH,
            14: b"",
        }
        if self.imported:
            keys = [bls.multiply(bls.G1, int.from_bytes(key, "big")) for key in self.imported]
            plan[10] = self.vector["import_dealer"]["name"]
            plan[11] = b"".join(bls.encode_g1(key) for key in keys)
        body = wire.body("plan", self.network, plan)
        self.report.same("plan_body", raw(self.vector["plan_body"]), body)
        self.id = wire.digest("plan", body)
        self.report.same("ceremony", raw(self.vector["ceremony"]), self.id)
        signatures = [
            {0: one["name"], 1: wire.sign(raw(one["secret"]), "plan", body)}
            for one in self.vector["guardians"][:QUORUM]
        ]
        self.report.same("plan", raw(self.vector["plan"]), wire.encode({0: body, 1: signatures}))

    def check_deal(self, deal):
        dealer, seed = deal["dealer"], raw(deal["seed"])
        at = f"deals[{dealer}]"
        commitments, proofs = b"", b""
        self.polynomials[dealer] = []
        for key, stored in enumerate(deal["keys"]):
            made = self.check_key(f"{at}.keys[{key}]", dealer, seed, key, stored)
            commitments, proofs = commitments + made[0], proofs + made[1]
        envelopes = [
            self.check_envelope(f"{at}.envelopes[{stored['receiver']}]", dealer, seed, stored, member)
            for stored, member in zip(deal["envelopes"], self.members, strict=True)
        ]
        payload = {0: self.id, 1: dealer, 2: commitments, 3: proofs, 4: envelopes}
        body = wire.body("deal", self.network, payload)
        self.report.same(f"{at}.body", raw(deal["body"]), body)
        self.report.same(f"{at}.hash", raw(deal["hash"]), ceremony.deal_hash(body))
        secret = raw(self.identity(dealer))
        signed = wire.encode([body, wire.sign(secret, "deal", body)])
        self.report.same(f"{at}.signed", raw(deal["signed"]), signed)
        _, message, signature = wire.open_signed("deal", self.network, raw(deal["signed"]))
        valid = wire.verifies(wire.compressed(secret), "deal", message, signature)
        self.report.holds(f"{at}.signed signature", valid)
        return ceremony.deal_hash(body)

    def identity(self, dealer):
        if dealer == 0:
            return self.vector["import_dealer"]["identity_secret"]
        return self.members[self.indices.index(dealer)]["identity_secret"]

    def check_key(self, at, dealer, seed, key, stored):
        polynomial = [ceremony.coefficient(seed, self.id, key, l) for l in range(self.t)]
        if self.imported:
            polynomial[0] = int.from_bytes(self.imported[key], "big")
        self.polynomials[dealer].append(polynomial)
        scalars = [scalar(one).hex() for one in polynomial]
        self.report.same(f"{at}.coefficients", stored["coefficients"], scalars)
        points = [bls.encode_g1(bls.multiply(bls.G1, one)) for one in polynomial]
        self.report.same(f"{at}.commitments", stored["commitments"], [one.hex() for one in points])
        message = ceremony.possession_message(self.id, dealer, key, points[0])
        self.report.same(f"{at}.possession_message", raw(stored["possession_message"]), message)
        hashed = bls.hash_to_g2(message, bls.POP_DST)
        proof = bls.encode_g2(bls.multiply(hashed, polynomial[0]))
        self.report.same(f"{at}.proof", raw(stored["proof"]), proof)
        return b"".join(points), proof

    def check_envelope(self, at, dealer, seed, stored, member):
        receiver = member["index"]
        self.report.same(f"{at}.receiver", stored["receiver"], receiver)
        secret = ceremony.ephemeral_secret(seed, self.id, receiver)
        self.report.same(f"{at}.ephemeral_secret", raw(stored["ephemeral_secret"]), secret)
        public = wire.compressed(secret)
        self.report.same(f"{at}.ephemeral", raw(stored["ephemeral"]), public)
        shared = wire.shared_secret(secret, raw(member["encryption_key"]))
        self.report.same(f"{at}.shared", raw(stored["shared"]), shared)
        theirs = wire.shared_secret(raw(member["encryption_secret"]), public)
        self.report.same(f"{at}.shared at the receiver", theirs, shared)
        key = ceremony.envelope_key(shared, self.id, dealer, receiver, public)
        self.report.same(f"{at}.key", raw(stored["key"]), key)
        shares = [bls.evaluate(one, receiver) for one in self.polynomials[dealer]]
        plaintext = b"".join(scalar(share) for share in shares)
        self.report.same(f"{at}.plaintext", raw(stored["plaintext"]), plaintext)
        ciphertext = ceremony.seal(key, self.id, plaintext)
        self.report.same(f"{at}.ciphertext", raw(stored["ciphertext"]), ciphertext)
        return {0: receiver, 1: public, 2: ciphertext}

    def joint(self, key):
        """The joint polynomial: what no party ever has."""
        parts = [polynomials[key] for polynomials in self.polynomials.values()]
        return [sum(column) % bls.ORDER for column in zip(*parts)]

    def check_shares(self):
        for member in self.members:
            shares = [
                scalar(bls.evaluate(self.joint(key), member["index"])).hex() for key in range(self.m)
            ]
            self.report.same(f"members[{member['index']}].shares", member["shares"], shares)

    def public_points(self):
        """Group keys and public shares, from the commitments in the deals."""
        group_keys, public_shares = [], []
        for key in range(self.m):
            parts = [
                [bls.decode_g1(raw(point)) for point in deal["keys"][key]["commitments"]]
                for deal in self.vector["deals"]
            ]
            joint = [bls.sum_points(column, bls.Z1) for column in zip(*parts)]
            group_keys.append(bls.encode_g1(joint[0]))
            public_shares.append(
                [bls.encode_g1(bls.evaluate_points(joint, index)) for index in self.indices]
            )
            secret = bls.encode_g1(bls.multiply(bls.G1, self.joint(key)[0]))
            self.report.same(f"group_keys[{key}] from the joint secret", group_keys[-1], secret)
        stored = [raw(key) for key in self.vector["group_keys"]]
        self.report.same("group_keys", stored, group_keys)
        for key, shares in enumerate(public_shares):
            stored = [raw(share) for share in self.vector["public_shares"][key]]
            self.report.same(f"public_shares[{key}]", stored, shares)
        return group_keys, public_shares

    def check_members(self, transcript, hashes):
        confirmations = []
        for member in self.members:
            at, secret = f"members[{member['index']}]", raw(member["identity_secret"])
            next_key = wire.compressed(raw(member["next_encryption_secret"]))
            payload = {0: self.id, 1: member["index"], 2: transcript, 3: hashes, 4: next_key}
            body = wire.body("confirmation", self.network, payload)
            self.report.same(f"{at}.confirmation_body", raw(member["confirmation_body"]), body)
            signed = wire.encode([body, wire.sign(secret, "confirmation", body)])
            self.report.same(f"{at}.confirmation", raw(member["confirmation"]), signed)
            _, message, signature = wire.open_signed(
                "confirmation", self.network, raw(member["confirmation"])
            )
            valid = wire.verifies(wire.compressed(secret), "confirmation", message, signature)
            self.report.holds(f"{at}.confirmation signature", valid)
            payload = {0: self.id, 1: member["index"], 2: transcript}
            activation = wire.signed(secret, "activation", self.network, payload)
            self.report.same(f"{at}.activation", raw(member["activation"]), activation)
            confirmations.append(signed)
        return confirmations

    def check_documents(self, hashes, points, confirmations):
        certificate = wire.body("certificate", self.network, {0: self.id, 1: confirmations})
        self.report.same("certificate", raw(self.vector["certificate"]), certificate)
        group_keys, public_shares = points
        descriptor = {
            0: raw(self.vector["plan"]),
            1: hashes,
            2: b"".join(group_keys),
            3: b"".join(share for shares in public_shares for share in shares),
            4: confirmations,
        }
        descriptor = wire.body("group", self.network, descriptor)
        self.report.same("descriptor", raw(self.vector["descriptor"]), descriptor)

    def check_signing(self):
        """The first key signs the root, with the first t members."""
        stored = self.vector["signing"]
        signers = self.indices[: self.t]
        self.report.same("signing.signers", stored["signers"], signers)
        scale = bls.scale_of(self.indices, self.t)
        self.report.same("signing.scale", stored["scale"], scale)
        hashed = bls.hash_to_g2(raw(stored["root"]), bls.ETHEREUM_DST)
        secret = self.joint(0)
        whole = bls.encode_g2(bls.multiply(hashed, secret[0]))
        self.report.same("signing.signature", raw(stored["signature"]), whole)
        for name, divisor in (("plain", 1), ("scaled", scale)):
            inverse = pow(divisor, -1, bls.ORDER)
            partials = [
                bls.multiply(hashed, bls.evaluate(secret, index) * inverse % bls.ORDER)
                for index in signers
            ]
            made = [bls.encode_g2_uncompressed(partial).hex() for partial in partials]
            self.report.same(f"signing.partials_{name}", stored[f"partials_{name}"], made)
            combined = bls.encode_g2(bls.combine(signers, partials, divisor))
            self.report.same(f"signing: partials_{name} combined", whole, combined)
