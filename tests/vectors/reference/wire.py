"""Canonical CBOR, envelopes and identities."""

from hashlib import sha256

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

VERSION = 1


class BadForm(Exception):
    """Bytes that are not the canonical form of the expected object."""


def encode(value):
    return cbor2.dumps(value, canonical=True)


def decode(data):
    """Decodes what a canonical encoder would have written, and nothing else."""
    try:
        value = cbor2.loads(data)
    except Exception as error:
        raise BadForm(f"no CBOR: {error}") from error
    _check_types(value)
    if encode(value) != data:
        raise BadForm("not canonical")
    return value


def _check_types(value):
    if isinstance(value, dict):
        if not all(type(key) is int and key >= 0 for key in value):
            raise BadForm("a map key is not an unsigned integer")
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            _check_types(item)
    elif value is not None and type(value) not in (int, str, bytes, bool):
        raise BadForm(f"a {type(value).__name__} in a message")


def body(tag, network, payload):
    return encode([f"symbolon.{tag}", VERSION, network, payload])


def open_body(tag, network, data):
    value = decode(data)
    if type(value) not in (list, tuple) or len(value) != 4:
        raise BadForm("not tag, version, network, payload")
    for what, got, expected in zip(
        ("tag", "version", "network"), value, (f"symbolon.{tag}", VERSION, network)
    ):
        if got != expected:
            raise BadForm(f"another {what}")
    return value[3]


def open_signed(tag, network, data):
    """Payload, body and signature of a signed message; the signature is not looked at."""
    value = decode(data)
    if type(value) not in (list, tuple) or len(value) != 2 or len(value[1]) != 64:
        raise BadForm("not body, signature")
    return open_body(tag, network, value[0]), value[0], value[1]


def preimage(tag, message):
    return b"symbolon-signature-v1\0symbolon." + tag.encode() + b"\0" + message


def digest(tag, message):
    return sha256(preimage(tag, message)).digest()


def secret_key(secret):
    return ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())


def public_key(data):
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), data)


def compressed(secret):
    public = secret_key(secret).public_key()
    return public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def shared_secret(secret, peer):
    return secret_key(secret).exchange(ec.ECDH(), public_key(peer))


def sign(secret, tag, message):
    """What a software identity signs: ECDSA with the nonce of RFC 6979, s as it comes."""
    scheme = ec.ECDSA(SHA256(), deterministic_signing=True)
    r, s = decode_dss_signature(secret_key(secret).sign(preimage(tag, message), scheme))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def signed(secret, tag, network, payload):
    message = body(tag, network, payload)
    return encode([message, sign(secret, tag, message)])


def verifies(public, tag, message, signature):
    r, s = (int.from_bytes(signature[at : at + 32], "big") for at in (0, 32))
    try:
        scheme = ec.ECDSA(SHA256())
        public_key(public).verify(encode_dss_signature(r, s), preimage(tag, message), scheme)
    except InvalidSignature:
        return False
    return True
