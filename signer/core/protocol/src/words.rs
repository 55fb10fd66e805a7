//! Digests as words that people can compare aloud.
//!
//! The list is Bytewords (Blockchain Commons BCR-2020-012): 256 words of four letters, one a byte.

/// The first `n` bytes of `digest` as words, joined by hyphens.
#[must_use]
pub fn words(digest: &[u8; 32], n: usize) -> String {
    let list: Vec<&str> = WORDS.split_whitespace().collect();
    let chosen: Vec<&str> = digest
        .iter()
        .take(n)
        .filter_map(|byte| list.get(usize::from(*byte)).copied())
        .collect();
    chosen.join("-")
}

const WORDS: &str = "\
    able acid also apex aqua arch atom aunt away axis back bald \
    barn belt beta bias blue body brag brew bulb buzz calm cash \
    cats chef city claw code cola cook cost crux curl cusp cyan \
    dark data days deli dice diet door down draw drop drum dull \
    duty each easy echo edge epic even exam exit eyes fact fair \
    fern figs film fish fizz flap flew flux foxy free frog fuel \
    fund gala game gear gems gift girl glow good gray grim guru \
    gush gyro half hang hard hawk heat help high hill holy hope \
    horn huts iced idea idle inch inky into iris iron item jade \
    jazz join jolt jowl judo jugs jump junk jury keep keno kept \
    keys kick kiln king kite kiwi knob lamb lava lazy leaf legs \
    liar limp lion list logo loud love luau luck lung main many \
    math maze memo menu meow mild mint miss monk nail navy need \
    news next noon note numb obey oboe omit onyx open oval owls \
    paid part peck play plus poem pool pose puff puma purr quad \
    quiz race ramp real redo rich road rock roof ruby ruin runs \
    rust safe saga scar sets silk skew slot soap solo song stub \
    surf swan taco task taxi tent tied time tiny toil tomb toys \
    trip tuna twin ugly undo unit urge user vast very veto vial \
    vibe view visa void vows wall wand warm wasp wave waxy webs \
    what when whiz wolf work yank yawn yell yoga yurt zaps zero \
    zest zinc zone zoom";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_one_word_for_every_byte() {
        let mut list: Vec<&str> = WORDS.split_whitespace().collect();
        assert_eq!(list.len(), 256);
        list.dedup();
        assert_eq!(list.len(), 256);
        assert!(list.iter().all(|word| word.len() == 4));
    }

    #[test]
    fn the_first_and_the_last_byte_have_the_standard_words() {
        let mut digest = [0; 32];
        digest[1] = 0xff;
        digest[2] = 0x80;
        assert_eq!(words(&digest, 3), "able-zoom-lava");
    }
}
