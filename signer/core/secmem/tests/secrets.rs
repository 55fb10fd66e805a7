//! What a secret does and, above all, what it does not do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use std::thread;

use symbolon_secmem::{Locked, MAX_SECRET, SecretBytes, TooLong};

/// Fails to compile when the type implements the trait: with it, `absent` would be ambiguous.
macro_rules! assert_absent {
    ($secret:ty: $($name:ident = $bound:path),+ $(,)?) => {$(
        #[test]
        fn $name() {
            trait Absent<Marker> {
                fn absent() {}
            }
            struct Present;
            impl<T: ?Sized> Absent<()> for T {}
            impl<T: ?Sized + $bound> Absent<Present> for T {}
            <$secret as Absent<_>>::absent();
        }
    )+};
}

assert_absent!(Locked<32>:
    locked_is_not_clone = Clone,
    locked_is_not_comparable = PartialEq,
    locked_is_not_printable = std::fmt::Display,
    locked_is_not_serializable = serde::Serialize,
    locked_is_not_a_slice = AsRef<[u8]>,
    locked_does_not_deref = std::ops::Deref,
);
assert_absent!(SecretBytes:
    bytes_are_not_clone = Clone,
    bytes_are_not_comparable = PartialEq,
    bytes_are_not_printable = std::fmt::Display,
    bytes_are_not_serializable = serde::Serialize,
    bytes_are_not_a_slice = AsRef<[u8]>,
    bytes_do_not_deref = std::ops::Deref,
);

#[test]
fn debug_prints_nothing_of_the_secret() {
    let key = Locked::<4>::take_from(&mut [1, 2, 3, 4]).unwrap();
    let pin = SecretBytes::from_string("hunter2".into()).unwrap();
    assert_eq!(
        format!("{key:?} {pin:?} {:#?}", Some(&pin)),
        "[redacted] [redacted] Some(\n    [redacted],\n)"
    );
}

#[test]
fn take_from_wipes_the_source() {
    let mut source = [9u8; 32];
    let key = Locked::<32>::take_from(&mut source).unwrap();
    assert_eq!(source, [0; 32]);
    key.expose(|bytes| assert_eq!(bytes, &[9; 32]));

    let mut short = [9u8; 31];
    assert!(Locked::<32>::take_from(&mut short).is_none());
    assert_eq!(short, [0; 31]);

    let mut pin = *b"1234";
    let secret = SecretBytes::take_from(&mut pin).unwrap();
    assert_eq!(pin, [0; 4]);
    assert_eq!(secret.expose(<[u8]>::to_vec), b"1234");
}

#[test]
fn failed_init_gives_no_secret() {
    let failed = Locked::<32>::try_init_with(|bytes| {
        bytes.fill(1);
        Err("no")
    });
    assert_eq!(failed.unwrap_err(), "no");
    Locked::<32>::zeroed().expose(|bytes| assert_eq!(bytes, &[0; 32]));
}

#[test]
fn equality_is_by_value() {
    let one = Locked::<3>::init_with(|bytes| *bytes = [1, 2, 3]);
    let same = Locked::<3>::init_with(|bytes| *bytes = [1, 2, 3]);
    let other = Locked::<3>::init_with(|bytes| *bytes = [1, 2, 4]);
    assert!(one.ct_eq(&same) && !one.ct_eq(&other));
    assert!(one.ct_eq_bytes(&[1, 2, 3]) && !one.ct_eq_bytes(&[1, 2]));

    let pin = |text: &str| SecretBytes::from_string(text.into()).unwrap();
    assert!(pin("0000").ct_eq(&pin("0000")));
    assert!(!pin("0000").ct_eq(&pin("0001")) && !pin("0000").ct_eq(&pin("00000")));
}

#[test]
fn length_of_bytes_is_bounded() {
    let empty = SecretBytes::from_vec(Vec::new()).unwrap();
    assert!(empty.is_empty() && empty.expose(<[u8]>::is_empty));
    let full = SecretBytes::from_vec(vec![5; MAX_SECRET]).unwrap();
    assert_eq!(full.len(), MAX_SECRET);
    assert!(full.expose(|bytes| bytes.len() == MAX_SECRET && bytes.iter().all(|b| *b == 5)));
    let error = SecretBytes::from_vec(vec![5; MAX_SECRET + 1]).unwrap_err();
    assert_eq!(
        error,
        TooLong {
            got: MAX_SECRET + 1
        }
    );
}

#[test]
fn text_is_checked_before_it_is_shown() {
    let text = SecretBytes::from_string("p\u{e4}ss".into()).unwrap();
    assert_eq!(text.expose_str(str::len).unwrap(), 5);
    let bytes = SecretBytes::from_vec(vec![0xff, 0xfe]).unwrap();
    assert!(bytes.expose_str(str::len).is_err());
}

#[test]
fn nested_reads_and_concurrent_drops_do_not_block() {
    let first = Locked::<32>::init_with(|bytes| bytes.fill(1));
    let second = Locked::<32>::init_with(|bytes| bytes.fill(2));
    thread::scope(|scope| {
        for seed in 0..4u8 {
            let (first, second) = (&first, &second);
            scope.spawn(move || {
                for round in 0..2000u32 {
                    let mark = seed.wrapping_mul(61).wrapping_add(round as u8) | 1;
                    let mine = Locked::<32>::init_with(|bytes| {
                        assert_eq!(bytes, &[0; 32]);
                        bytes.fill(mark);
                    });
                    let sum = first.expose(|a| second.expose(|b| a[0] + b[31]));
                    assert_eq!(sum, 3);
                    mine.expose(|bytes| assert_eq!(bytes, &[mark; 32]));
                }
            });
        }
    });
}
