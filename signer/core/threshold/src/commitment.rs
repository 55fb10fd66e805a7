//! A dealer's promise about his polynomial.

use blst::blst_p1;

use crate::bls::raw;
use crate::index::{ShareIndex, Threshold};
use crate::point::{G1Point, PointError};
use crate::public_key::GroupPublicKey;
use crate::scalar::PublicScalar;
use crate::share::{PublicShare, SecretShare};

/// A Feldman commitment: the coefficients of a polynomial of degree t - 1 times the generator,
/// constant first; exactly t points.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Commitment {
    constant: G1Point,
    /// Coefficients of x, x^2, ...
    higher: Vec<G1Point>,
}

/// Points that are no commitment, or a computation on commitments that gives none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitmentError {
    /// Too few or too many points for the threshold, or commitments of different length.
    #[error("a commitment of {expected} points is expected, got {got}")]
    Length {
        /// The threshold t.
        expected: usize,
        /// Points given.
        got: usize,
    },
    /// Coefficients cancel to infinity, which would lower the threshold or void the key.
    #[error("coefficient {degree} of the sum of commitments cancels")]
    Cancelled {
        /// The coefficient's degree.
        degree: usize,
    },
    /// A member's public share is infinity, so its secret share would be zero.
    #[error("the public share of index {index} is the point at infinity, its share is zero")]
    ZeroShare {
        /// The member's index.
        index: ShareIndex,
    },
    /// A sum of nothing.
    #[error("a sum needs at least one commitment")]
    Empty,
    /// A share does not lie on the committed polynomial.
    #[error("the share of index {index} does not fit the commitment")]
    WrongShare {
        /// The receiver's index.
        index: ShareIndex,
    },
}

impl Commitment {
    /// A commitment for one threshold: the points of the coefficients, constant first.
    ///
    /// # Errors
    ///
    /// [`CommitmentError::Length`] unless there are exactly t points.
    pub fn new(points: Vec<G1Point>, threshold: Threshold) -> Result<Self, CommitmentError> {
        let (expected, got) = (threshold.t(), points.len());
        if expected != got {
            return Err(CommitmentError::Length { expected, got });
        }
        Self::from_points(points).ok_or(CommitmentError::Empty)
    }

    /// The points, constant first.
    pub fn points(&self) -> impl DoubleEndedIterator<Item = &G1Point> {
        std::iter::once(&self.constant).chain(&self.higher)
    }

    /// Number of points, which is the threshold t.
    #[must_use]
    pub fn t(&self) -> usize {
        1 + self.higher.len()
    }

    /// The constant coefficient: the image of the shared secret.
    #[must_use]
    pub fn constant(&self) -> &G1Point {
        &self.constant
    }

    /// The constant as the key of a group whose joint commitment this is.
    #[must_use]
    pub fn group_public_key(&self) -> GroupPublicKey {
        self.constant.into()
    }

    /// The image of the share at `index`.
    ///
    /// # Errors
    ///
    /// [`CommitmentError::ZeroShare`].
    pub fn evaluate(&self, index: ShareIndex) -> Result<G1Point, CommitmentError> {
        let zero = blst_p1::default();
        let sum = horner(
            self.points().map(G1Point::raw),
            index,
            zero,
            raw::p1_add_affine,
        );
        G1Point::from_sum(&sum).map_err(|_| CommitmentError::ZeroShare { index })
    }

    /// The public share at `index`, plain.
    ///
    /// # Errors
    ///
    /// [`CommitmentError::ZeroShare`].
    pub fn public_share(&self, index: ShareIndex) -> Result<PublicShare, CommitmentError> {
        self.evaluate(index)
            .map(|point| PublicShare::new(index, point))
    }

    /// Checks that a share lies on the committed polynomial (Feldman 1987).
    ///
    /// # Errors
    ///
    /// [`CommitmentError::WrongShare`], [`CommitmentError::ZeroShare`].
    pub fn verify_share(&self, share: &SecretShare) -> Result<(), CommitmentError> {
        let index = share.index();
        let expected = self.public_share(index)?.scaled(share.scale());
        if share.public_share() == expected {
            Ok(())
        } else {
            Err(CommitmentError::WrongShare { index })
        }
    }

    /// The sum of commitments, coefficient by coefficient: the joint polynomial of a DKG.
    ///
    /// # Errors
    ///
    /// [`CommitmentError`] when there is none, lengths differ or a coefficient cancels.
    pub fn sum<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Result<Self, CommitmentError> {
        let parts: Vec<&Self> = parts.into_iter().collect();
        Self::by_coefficient(&parts, |column| G1Point::sum(column.iter().copied()))
    }

    /// The sum of commitments times public numbers: the joint polynomial of a reshare.
    ///
    /// # Errors
    ///
    /// [`CommitmentError`] when there is none, lengths differ or a coefficient cancels.
    pub fn weighted_sum<'a>(
        terms: impl IntoIterator<Item = (PublicScalar, &'a Self)>,
    ) -> Result<Self, CommitmentError> {
        let (factors, parts): (Vec<PublicScalar>, Vec<&Self>) = terms.into_iter().unzip();
        Self::by_coefficient(&parts, |column| {
            G1Point::weighted_sum(factors.iter().copied().zip(column.iter().copied()))
        })
    }

    fn by_coefficient(
        parts: &[&Self],
        sum: impl Fn(&[&G1Point]) -> Result<G1Point, PointError>,
    ) -> Result<Self, CommitmentError> {
        let expected = parts.first().ok_or(CommitmentError::Empty)?.t();
        if let Some(other) = parts.iter().find(|part| part.t() != expected) {
            return Err(CommitmentError::Length {
                expected,
                got: other.t(),
            });
        }
        let mut rows: Vec<_> = parts.iter().map(|part| part.points()).collect();
        let points = (0..expected)
            .map(|degree| {
                let column: Vec<_> = rows.iter_mut().filter_map(Iterator::next).collect();
                sum(&column).map_err(|_| CommitmentError::Cancelled { degree })
            })
            .collect::<Result<Vec<_>, _>>()?;
        Self::from_points(points).ok_or(CommitmentError::Empty)
    }

    pub(crate) fn from_parts(constant: G1Point, higher: Vec<G1Point>) -> Self {
        Self { constant, higher }
    }

    fn from_points(points: Vec<G1Point>) -> Option<Self> {
        let mut points = points.into_iter();
        Some(Self {
            constant: points.next()?,
            higher: points.collect(),
        })
    }
}

/// Evaluates a polynomial with coefficients in G1 at a short public number.
pub(crate) fn horner<'a, P: 'a>(
    coefficients: impl DoubleEndedIterator<Item = &'a P>,
    index: ShareIndex,
    zero: blst_p1,
    add: impl Fn(&blst_p1, &P) -> blst_p1,
) -> blst_p1 {
    let x = index.get().to_le_bytes();
    coefficients.rev().fold(zero, |sum, coefficient| {
        add(&raw::p1_mul(&sum, &x, 16), coefficient)
    })
}
