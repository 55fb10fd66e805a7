"""BLS12-381 (py_ecc) in the encodings of Ethereum, and Shamir sharing over its scalar field."""

from fractions import Fraction
from functools import lru_cache
from hashlib import sha256
from itertools import combinations
from math import lcm

from py_ecc.bls.hash_to_curve import hash_to_G2
from py_ecc.bls.point_compression import modular_squareroot_in_FQ2
from py_ecc.fields import optimized_bls12_381_FQ as FQ
from py_ecc.fields import optimized_bls12_381_FQ2 as FQ2
from py_ecc.optimized_bls12_381 import (
    FQ12,
    G1,
    Z1,
    Z2,
    add,
    curve_order,
    eq,
    field_modulus,
    final_exponentiate,
    is_inf,
    multiply,
    neg,
    normalize,
    pairing,
)

ORDER = curve_order
ETHEREUM_DST = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_"
POP_DST = b"SYMBOLON_BLS_POP_BLS12381G2_XMD:SHA-256_SSWU_RO_V1_"
# Largest t whose shares are scaled.
MAX_SCALED_THRESHOLD = 7


class BadPoint(Exception):
    """Bytes that are no usable point."""


@lru_cache(maxsize=None)
def hash_to_g2(message, dst):
    return hash_to_G2(message, dst, sha256)


def sum_points(points, zero):
    total = zero
    for point in points:
        total = add(total, point)
    return total


def _larger(number):
    return number > (field_modulus - 1) // 2


def _larger2(y):
    real, imaginary = (int(part) for part in y.coeffs)
    return _larger(imaginary) if imaginary else _larger(real)


def encode_g1(point):
    x, y = normalize(point)
    out = bytearray(int(x).to_bytes(48, "big"))
    out[0] |= 0x80 | (0x20 if _larger(int(y)) else 0)
    return bytes(out)


def encode_g2(point):
    x, y = normalize(point)
    real, imaginary = (int(part) for part in x.coeffs)
    out = bytearray(imaginary.to_bytes(48, "big") + real.to_bytes(48, "big"))
    out[0] |= 0x80 | (0x20 if _larger2(y) else 0)
    return bytes(out)


def encode_g2_uncompressed(point):
    x, y = normalize(point)
    parts = [x.coeffs[1], x.coeffs[0], y.coeffs[1], y.coeffs[0]]
    return b"".join(int(part).to_bytes(48, "big") for part in parts)


def _coordinates(data):
    if not data[0] & 0x80:
        raise BadPoint("flag of compression missing")
    sign = bool(data[0] & 0x20)
    rest = bytes([data[0] & 0x1F]) + data[1:]
    if data[0] & 0x40:
        if any(rest):
            raise BadPoint("flag of infinity on a finite point")
        raise BadPoint("infinity with a sign" if sign else "infinity")
    numbers = [int.from_bytes(rest[at : at + 48], "big") for at in range(0, len(rest), 48)]
    if any(number >= field_modulus for number in numbers):
        raise BadPoint("coordinate above the field prime")
    return numbers, sign


@lru_cache(maxsize=None)
def decode_g1(data):
    (number,), sign = _coordinates(data)
    x = FQ(number)
    square = x**3 + FQ(4)
    y = square ** ((field_modulus + 1) // 4)
    if y * y != square:
        raise BadPoint("off the curve")
    if _larger(int(y)) != sign:
        y = -y
    return _in_subgroup((x, y, FQ.one()))


@lru_cache(maxsize=None)
def decode_g2(data):
    (imaginary, real), sign = _coordinates(data)
    x = FQ2([real, imaginary])
    y = modular_squareroot_in_FQ2(x**3 + FQ2([4, 4]))
    if y is None:
        raise BadPoint("off the curve")
    if _larger2(y) != sign:
        y = -y
    return _in_subgroup((x, y, FQ2.one()))


def _in_subgroup(point):
    if not is_inf(multiply(point, ORDER)):
        raise BadPoint("outside the subgroup")
    return point


@lru_cache(maxsize=None)
def proof_holds(commitment, message, proof):
    """Whether e(C, H(message)) = e(G1, proof), under the domain tag of proofs."""
    left = pairing(hash_to_g2(message, POP_DST), decode_g1(commitment), False)
    right = pairing(decode_g2(proof), neg(G1), False)
    return final_exponentiate(left * right) == FQ12.one()


def evaluate(coefficients, x):
    value = 0
    for coefficient in reversed(coefficients):
        value = (value * x + coefficient) % ORDER
    return value


def evaluate_points(points, x):
    value = Z1
    for point in reversed(points):
        value = add(multiply(value, x), point)
    return value


def coefficients_at_zero(signers):
    """Lagrange coefficients as exact fractions."""
    found = []
    for own in signers:
        product = Fraction(1)
        for other in signers:
            if other != own:
                product *= Fraction(other, other - own)
        found.append(product)
    return found


def scale_of(indices, threshold):
    """The least common denominator over every set of t signers: here by trying all of them."""
    sets = [coefficients_at_zero(signers) for signers in combinations(indices, threshold)]
    delta = lcm(*(one.denominator for signers in sets for one in signers))
    largest = max(abs(one * delta) for signers in sets for one in signers)
    if threshold > MAX_SCALED_THRESHOLD or max(delta, largest) >= 2**63:
        return 1
    return delta


def combine(signers, partials, scale):
    """Interpolates partials of shares that were divided by `scale`."""
    total = Z2
    for factor, partial in zip(coefficients_at_zero(signers), partials):
        factor *= scale
        number = factor.numerator * pow(factor.denominator, -1, ORDER) % ORDER
        total = add(total, multiply(partial, number))
    return total


__all__ = [name for name in dir() if not name.startswith("_")] + ["eq"]
