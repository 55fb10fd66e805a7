"""The derivations of a ceremony, as module `derive` of symbolon-ceremony documents them."""

from hashlib import sha256

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from . import bls, wire

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
PREFIX = b"symbolon-ceremony-v1/"
NONCE = bytes(12)


def u16(number):
    return number.to_bytes(2, "big")


def u32(number):
    return number.to_bytes(4, "big")


def _derive(secret, salt, info, length):
    kdf = HKDF(algorithm=SHA256(), length=length, salt=PREFIX + salt, info=info)
    return kdf.derive(secret)


def coefficient(seed, ceremony, key, degree):
    info = PREFIX + b"coefficient\0" + ceremony + u32(key) + u16(degree)
    return int.from_bytes(_derive(seed, b"seed", info, 48), "big") % bls.ORDER


def ephemeral_secret(seed, ceremony, receiver):
    info = PREFIX + b"ephemeral\0" + ceremony + u16(receiver)
    wide = int.from_bytes(_derive(seed, b"seed", info, 48), "big")
    return (wide % P256_ORDER).to_bytes(32, "big")


def possession_message(ceremony, dealer, key, constant):
    return ceremony + u16(dealer) + u32(key) + constant


def envelope_key(shared, ceremony, dealer, receiver, ephemeral):
    info = ceremony + u16(dealer) + u16(receiver) + ephemeral
    return _derive(shared, b"envelope", info, 32)


def seal(key, ceremony, plaintext):
    return AESGCM(key).encrypt(NONCE, plaintext, ceremony)


def unseal(key, ceremony, ciphertext):
    """The plaintext; InvalidTag when it does not open."""
    return AESGCM(key).decrypt(NONCE, ciphertext, ceremony)


def transcript(ceremony, deal_hashes, group_keys, public_shares):
    receivers = len(public_shares[0])
    keys = sha256(PREFIX + b"keys\0" + u32(len(group_keys)) + u16(receivers))
    for group_key, shares in zip(group_keys, public_shares):
        keys.update(group_key + b"".join(shares))
    parts = PREFIX + b"transcript\0" + ceremony + b"".join(deal_hashes) + keys.digest()
    return sha256(parts).digest()


def deal_hash(message):
    return wire.digest("deal", message)
